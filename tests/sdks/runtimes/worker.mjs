// At the edge there is no environment: a worker is given what it needs with each request.
import * as sdk from '@rymi/node';
import { everywhere } from './everywhere.mjs';

export default {
  async fetch(request, { RYMI_API_KEY: apiKey, RYMI_BASE_URL: baseURL, AGENT: agent }) {
    if (new URL(request.url).pathname !== '/run') return new Response('listening');
    try {
      const seen = await everywhere(sdk, new sdk.Rymi({ apiKey, baseURL }), agent);
      return Response.json({ runtime: navigator.userAgent, seen });
    } catch (error) {
      return Response.json({ failed: String(error.stack ?? error) }, { status: 500 });
    }
  },
};
