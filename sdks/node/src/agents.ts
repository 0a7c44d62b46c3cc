/** `rymi.agents`. */
import type { Operations } from './contract.js';
import type { Http, RequestOptions } from './http.js';
import { byOffset, Pages } from './pages.js';

type Body<N extends keyof Operations> = Operations[N]['body'];
type Query<N extends keyof Operations> = NonNullable<Operations[N]['query']>;
type Answer<N extends keyof Operations> = Operations[N]['answer'];

export class Agents {
  constructor(private readonly http: Http) {}

  list(query: Query<'listAgents'> = {}, options?: RequestOptions): Pages<Answer<'listAgents'>, Answer<'listAgents'>['agents'][number]> {
    return new Pages(
      (next) => this.http.ask('listAgents', { query: { ...query, ...next } }, options),
      (page) => page.agents,
      byOffset(query.offset ?? 0),
    );
  }

  create(agent: Body<'createAgent'>, options?: RequestOptions): Promise<Answer<'createAgent'>> {
    return this.http.ask('createAgent', { body: agent }, options);
  }

  retrieve(agentId: string, options?: RequestOptions): Promise<Answer<'getAgent'>> {
    return this.http.ask('getAgent', { path: { agent_id: agentId } }, options);
  }

  /** Only the fields that are given change; null clears. */
  update(agentId: string, fields: Body<'updateAgent'>, options?: RequestOptions): Promise<Answer<'updateAgent'>> {
    return this.http.ask('updateAgent', { path: { agent_id: agentId }, body: fields }, options);
  }

  delete(agentId: string, options?: RequestOptions): Promise<Answer<'deleteAgent'>> {
    return this.http.ask('deleteAgent', { path: { agent_id: agentId } }, options);
  }

  clone(agentId: string, body?: Body<'cloneAgent'>, options?: RequestOptions): Promise<Answer<'cloneAgent'>> {
    return this.http.ask('cloneAgent', { path: { agent_id: agentId }, body }, options);
  }

  listCalls(agentId: string, query: Query<'listAgentCalls'> = {}, options?: RequestOptions): Pages<Answer<'listAgentCalls'>, Answer<'listAgentCalls'>['calls'][number]> {
    return new Pages(
      (next) => this.http.ask('listAgentCalls', { path: { agent_id: agentId }, query: { ...query, ...next } }, options),
      (page) => page.calls,
      byOffset(query.offset ?? 0),
    );
  }

  /** The models and voices that an agent can have. */
  llmOptions(options?: RequestOptions): Promise<Answer<'listLlmOptions'>> {
    return this.http.ask('listLlmOptions', {}, options);
  }
}
