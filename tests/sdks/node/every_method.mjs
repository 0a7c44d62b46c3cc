// Calls every method of @rymi/node once against a running API, and fails if one was left out, or an operation of the API.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { ApiError, Rymi } from '@rymi/node';

const asked = new Set();
const transport = (url, init) => {
  asked.add(`${init.method} ${new URL(url).pathname}`);
  return fetch(url, init);
};
const rymi = new Rymi({ transport });
const called = new Set();
const watched = (name, space) =>
  new Proxy(space, {
    get(target, method) {
      const value = target[method];
      if (typeof value !== 'function') return value;
      return (...given) => {
        called.add(`${name}.${String(method)}`);
        return value.apply(target, given);
      };
    },
  });
const spaces = Object.fromEntries(Object.entries(rymi).map(([name, space]) => [name, watched(name, space)]));
const { calls, agents, numbers, telephony, keys, dnc, billing, webhooks, analytics } = spaces;

async function refused(what, status, code) {
  await assert.rejects(Promise.resolve(what), (error) => {
    assert.ok(error instanceof ApiError, String(error));
    assert.equal(error.status, status);
    assert.equal(error.code, code);
    assert.match(error.requestId, /^req_/);
    return true;
  });
}

// Agents
const { id: agentId } = await agents.create({ name: 'Aria', language: 'en-US' });
assert.equal((await agents.retrieve(agentId)).name, 'Aria');
assert.equal((await agents.update(agentId, { name: 'Aria two' })).status, 'updated');
const { id: cloneId } = await agents.clone(agentId);
assert.ok((await agents.llmOptions()).models);
const listed = [];
for await (const agent of agents.list({ limit: 1 })) listed.push(agent.id);
assert.ok(listed.includes(agentId) && listed.includes(cloneId));
assert.equal((await agents.delete(cloneId)).status, 'deleted');
await refused(agents.retrieve(cloneId), 404, 'not_found');

// Calls
const call = await calls.create({ agent_id: agentId, participants: [{ transport: 'webrtc', identity: 'me' }] });
assert.equal(call.room_name, `call_${call.id}`);
const key = { idempotencyKey: `once-${call.id}` };
const body = { agent_id: agentId, participants: [{ transport: 'webrtc', identity: 'me' }] };
assert.equal((await calls.create(body, key)).id, (await calls.create(body, key)).id);
await refused(calls.create({ ...body, metadata: { other: true } }, key), 422, 'idempotency_mismatch');
const added = await calls.addParticipants(call.id, { participants: [{ transport: 'webrtc', identity: 'you' }] });
assert.ok(added.participants[0].access.token);
assert.equal((await calls.retrieve(call.id)).id, call.id);
const found = [];
for await (const each of calls.list({ limit: 1 })) found.push(each.id);
assert.ok(found.includes(call.id) && found.length >= 2);
assert.ok((await agents.listCalls(agentId)).calls.length >= 2);
assert.ok(Array.isArray((await calls.active()).calls));
assert.ok((await calls.events(call.id)).events.length >= 1);
const seen = [];
for await (const event of calls.stream(call.id)) {
  seen.push(event);
  if (seen.length === 1) assert.equal((await calls.end(call.id)).status, 'ended');
}
assert.equal(seen.at(-1).event, 'end', JSON.stringify(seen));
assert.ok(seen.some((each) => each.event === 'event'));
for await (const event of calls.stream(call.id, { lastEventId: seen.at(-1).id })) assert.fail(JSON.stringify(event));
await refused(calls.end(call.id), 409, 'call_already_ended');
const orNotReady = async (what) => {
  try {
    assert.ok(await what);
  } catch (error) {
    assert.equal(error.code, 'not_ready');
  }
};
await orNotReady(calls.summary(call.id));
await orNotReady(calls.transcript(call.id));
await orNotReady(calls.recording(call.id));
await orNotReady(calls.deleteRecording(call.id));
await orNotReady(calls.quality(call.id));
assert.equal((await calls.reprocess(call.id)).status, 'queued');
assert.ok('waiting' in (await calls.queueStats()));
const { batch_id } = await calls.batch({ agent_id: agentId, to: ['+15550001111'], from_number: '+15550002222' });
assert.ok(await calls.batchProgress(batch_id));

// Numbers, keys, Do-Not-Call, money, webhooks
await numbers.register({ number: '+15550003333' });
assert.ok(await numbers.attach('+15550003333', { agent_id: agentId }));
assert.ok((await numbers.list()).numbers.length >= 1);
assert.ok(await numbers.remove('+15550003333'));
const made = await keys.create({ label: 'sdk' });
assert.ok(await keys.self());
const rotated = await keys.rotate(made.id);
assert.ok((await keys.list()).keys.length >= 2);
assert.ok(await keys.revoke(rotated.id));
const publishable = await keys.createPublishable({ agent_id: agentId, label: 'page' });
assert.match(publishable.key, /^sb_publishable_/);
const [firstKey] = (await keys.listPublishable()).keys;
await refused(new Rymi({ apiKey: publishable.key }).calls.list(), 403, 'publishable_key_scope');
assert.equal((await keys.revokePublishable(firstKey.id)).success, true);
assert.equal((await dnc.add({ phone_number: '+1 (555) 000-9999' })).phone_number, '+15550009999');
await dnc.addBatch({ phone_numbers: ['+15550009998'] });
assert.equal((await dnc.check({ phone_numbers: ['+15550009999'] })).blocked_count, 1);
await refused(calls.create({ agent_id: agentId, to: '+15550009999', from_number: '+15550002222' }), 409, 'dnc_conflict');
assert.ok((await dnc.list()).dnc_entries.length >= 2);
assert.equal((await dnc.remove('+15550009999')).status, 'removed');
assert.ok((await billing.balance()).tenant_id);
assert.ok(await billing.changeAlerts({ thresholds_usd: [5, 20] }));
assert.ok((await billing.agentRoles()).roles.operator);
assert.ok(await billing.estimate({ duration_seconds: 60 }));
assert.ok((await billing.transactions()).transactions.length >= 1);
assert.ok((await billing.usageSummary()).voice_runtime);
assert.ok('total_calls' in (await analytics.spend()));
const hook = await webhooks.create({ url: 'https://example.com/', events: ['call.completed'] });
assert.ok((await webhooks.list()).webhooks.length >= 1);
assert.ok(await webhooks.update(hook.id, { url: 'https://example.org/' }));
const told = await webhooks.test(hook.id);
const [delivery] = (await webhooks.deliveries(hook.id)).deliveries;
assert.equal((await webhooks.delivery(delivery.id)).id, delivery.id);
assert.ok(told);
try {
  assert.ok(await webhooks.redeliver(delivery.id));
} catch (error) {
  assert.equal(error.status, 409, error); // It is still on its way.
}
assert.ok(await webhooks.delete(hook.id));
const raw = '{"type":"call.completed"}';
const now = String(Date.now());
assert.equal(webhooks.verifySignature(raw, webhooks.sign(raw, now, 's'.repeat(16)), now, 's'.repeat(16)).type, 'call.completed');

// Telephony
assert.equal((await telephony.status()).connected, false);
assert.ok(await telephony.providers());
assert.ok(await telephony.numbers());
await refused(telephony.connect({ provider: 'twilio' }), 400, 'validation_error');
await refused(telephony.validate({ provider: 'twilio' }), 400, 'validation_error');
assert.ok(await telephony.disconnect());
assert.ok(await telephony.callingHours());
await refused(telephony.setCallingHours({}), 400, 'validation_error');
assert.ok(await telephony.removeCallingHours());
await refused(calls.transfer(call.id, { to: '+15550001111' }), 409, 'call_already_ended');

const all = Object.entries(rymi).flatMap(([name, space]) => [
  ...Object.getOwnPropertyNames(Object.getPrototypeOf(space)).filter((each) => !['constructor', 'pages'].includes(each)),
  ...Object.keys(space).filter((each) => typeof space[each] === 'function'),
].map((method) => `${name}.${method}`));
assert.deepEqual(all.filter((each) => !called.has(each)), [], 'methods that were not tried');

// Operations that have no method, and why.
const WITHOUT = {
  createRealtimeToken: 'answers 410 and names calls.create',
  createWebrtcToken: 'answers 410 and names calls.create',
};
const { paths } = JSON.parse(readFileSync(process.env.CONTRACT, 'utf8'));
const operations = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, { operationId }]) => ({
    operationId,
    variables: path.split('{').length,
    pattern: new RegExp(`^${method.toUpperCase()} ${path.replace(/\{\w+\}/g, '[^/]+')}$`),
  })),
);
// `/v1/calls/active` is not a call of that id.
operations.sort((one, other) => one.variables - other.variables);
const reached = new Set([...asked].map((each) => operations.find(({ pattern }) => pattern.test(each))));
const unasked = operations.filter((each) => !reached.has(each));
assert.deepEqual(unasked.map((each) => each.operationId).sort(), Object.keys(WITHOUT).sort(), 'operations without a method');
console.log(`${all.length} methods, ${operations.length} operations`);
