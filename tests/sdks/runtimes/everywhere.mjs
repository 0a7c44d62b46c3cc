// What must work of @rymi/node in every runtime, against a running API. `sdk` is the package, `rymi` a client of it.
export async function everywhere(sdk, rymi, agentId) {
  const { ApiError, ConnectionFailed, Rymi, SignatureRefused } = sdk;
  const seen = [];
  const is = (what, right) => {
    if (!right) throw new Error(`${what} is not so; ${JSON.stringify(seen)}`);
    seen.push(what);
  };
  const failure = async (promise) => {
    try {
      await promise;
    } catch (error) {
      return error;
    }
    throw new Error(`nothing was refused; ${JSON.stringify(seen)}`);
  };

  const ids = new Set();
  for (const identity of ['one', 'two', 'three']) {
    const call = await rymi.calls.create({ agent_id: agentId, participants: [{ transport: 'webrtc', identity }] });
    is('created', call.room_name === `call_${call.id}` && call.participants[0].access.token);
    ids.add(call.id);
  }
  const listed = new Set();
  for await (const call of rymi.calls.list({ limit: 2 })) listed.add(call.id);
  is('listed over pages', [...ids].every((id) => listed.has(id)));

  const missing = await failure(rymi.calls.retrieve('00000000-0000-7000-8000-000000000000'));
  is('refused by code', missing instanceof ApiError && missing.code === 'not_found' && missing.status === 404);
  is('which names its request', /^req_/.test(missing.requestId));
  const nobody = new Rymi({ apiKey: 'rymi_x', baseURL: 'http://127.0.0.1:9', retry: sdk.never });
  const unheard = await failure(nobody.calls.list());
  is('told that nobody is there', unheard instanceof ConnectionFailed && unheard.code === 'connection_failed');
  const stop = new AbortController();
  stop.abort();
  is('aborted', (await failure(rymi.calls.create({ agent_id: agentId }, { signal: stop.signal }))).code === 'aborted');

  const [raw, secret, now] = ['{"type":"call.completed","data":{"name":"Zoë"}}', 'the-secret-of-it', String(Date.now())];
  const signature = rymi.webhooks.sign(raw, now, secret);
  const event = rymi.webhooks.verifySignature(new TextEncoder().encode(raw), signature, now, secret);
  is('verified', event.data.name === 'Zoë');
  const forged = await failure((async () => rymi.webhooks.verifySignature(`${raw} `, signature, now, secret))());
  is('not fooled', forged instanceof SignatureRefused && forged.code === 'signature_mismatch');

  const told = [];
  const [followed] = ids;
  for await (const each of rymi.calls.stream(followed)) {
    told.push(each.event);
    if (told.length === 1) await rymi.calls.end(followed);
  }
  is('followed to the end', told.at(-1) === 'end' && told.includes('status') && told.includes('event'));
  for await (const _ of rymi.calls.stream([...ids][1])) break;
  is('left', true);
  for (const id of [...ids].slice(1)) await rymi.calls.end(id);
  return seen;
}
