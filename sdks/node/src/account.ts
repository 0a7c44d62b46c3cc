/** What belongs to the account: `rymi.numbers`, `keys`, `dnc`, `billing`, `analytics`, `webhooks`, `telephony`. */
import type { Operations } from './contract.js';
import type { Http, RequestOptions } from './http.js';
import { byOffset, Pages } from './pages.js';
import { sign, verifySignature } from './signatures.js';

type Body<N extends keyof Operations> = Operations[N]['body'];
type Query<N extends keyof Operations> = NonNullable<Operations[N]['query']>;
type Answer<N extends keyof Operations> = Operations[N]['answer'];
type Listing<N extends keyof Operations, Key extends keyof Answer<N>> = Pages<Answer<N>, Answer<N>[Key] extends Array<infer Item> ? Item : never>;

export class Numbers {
  constructor(private readonly http: Http) {}

  list(query: Query<'listNumbers'> = {}, options?: RequestOptions): Listing<'listNumbers', 'numbers'> {
    const page = (next: object | undefined) => this.http.ask('listNumbers', { query: { ...query, ...next } }, options);
    return new Pages(page, (each) => each.numbers, byOffset(query.offset ?? 0));
  }

  /** A number of your carrier account. */
  register(number: Body<'registerNumber'>, options?: RequestOptions): Promise<Answer<'registerNumber'>> {
    return this.http.ask('registerNumber', { body: number }, options);
  }

  /** Let an agent answer it. */
  attach(number: string, body: Body<'attachNumber'>, options?: RequestOptions): Promise<Answer<'attachNumber'>> {
    return this.http.ask('attachNumber', { path: { number }, body }, options);
  }

  remove(number: string, options?: RequestOptions): Promise<Answer<'removeNumber'>> {
    return this.http.ask('removeNumber', { path: { number } }, options);
  }
}

export class Keys {
  constructor(private readonly http: Http) {}

  /** Secret keys. Plaintext is in the answer that creates one, and nowhere else. */
  list(query: Query<'listApiKeys'> = {}, options?: RequestOptions): Listing<'listApiKeys', 'keys'> {
    const page = (next: object | undefined) => this.http.ask('listApiKeys', { query: { ...query, ...next } }, options);
    return new Pages(page, (each) => each.keys, byOffset(query.offset ?? 0));
  }

  create(body?: Body<'createApiKey'>, options?: RequestOptions): Promise<Answer<'createApiKey'>> {
    return this.http.ask('createApiKey', { body }, options);
  }

  rotate(keyId: string, body?: Body<'rotateApiKey'>, options?: RequestOptions): Promise<Answer<'rotateApiKey'>> {
    return this.http.ask('rotateApiKey', { path: { key_id: keyId }, body }, options);
  }

  revoke(keyId: string, options?: RequestOptions): Promise<Answer<'revokeApiKey'>> {
    return this.http.ask('revokeApiKey', { path: { key_id: keyId } }, options);
  }

  /** Whose account the key of this client opens. */
  self(options?: RequestOptions): Promise<Answer<'getMe'>> {
    return this.http.ask('getMe', {}, options);
  }

  listPublishable(query: Query<'listPublishableKeys'> = {}, options?: RequestOptions): Listing<'listPublishableKeys', 'keys'> {
    const page = (next: object | undefined) => this.http.ask('listPublishableKeys', { query: { ...query, ...next } }, options);
    return new Pages(page, (each) => each.keys, byOffset(query.offset ?? 0));
  }

  createPublishable(body: Body<'createPublishableKey'>, options?: RequestOptions): Promise<Answer<'createPublishableKey'>> {
    return this.http.ask('createPublishableKey', { body }, options);
  }

  revokePublishable(keyId: string, options?: RequestOptions): Promise<Answer<'revokePublishableKey'>> {
    return this.http.ask('revokePublishableKey', { path: { key_id: keyId } }, options);
  }
}

/** The Do-Not-Call list. */
export class Dnc {
  constructor(private readonly http: Http) {}

  list(query: Query<'listDnc'> = {}, options?: RequestOptions): Listing<'listDnc', 'dnc_entries'> {
    const page = (next: object | undefined) => this.http.ask('listDnc', { query: { ...query, ...next } }, options);
    return new Pages(page, (each) => each.dnc_entries, byOffset(query.offset ?? 0));
  }

  add(entry: Body<'addDnc'>, options?: RequestOptions): Promise<Answer<'addDnc'>> {
    return this.http.ask('addDnc', { body: entry }, options);
  }

  addBatch(entries: Body<'addDncBatch'>, options?: RequestOptions): Promise<Answer<'addDncBatch'>> {
    return this.http.ask('addDncBatch', { body: entries }, options);
  }

  check(numbers: Body<'checkDnc'>, options?: RequestOptions): Promise<Answer<'checkDnc'>> {
    return this.http.ask('checkDnc', { body: numbers }, options);
  }

  remove(phone: string, options?: RequestOptions): Promise<Answer<'removeDnc'>> {
    return this.http.ask('removeDnc', { path: { phone } }, options);
  }
}

export class Billing {
  constructor(private readonly http: Http) {}

  balance(options?: RequestOptions): Promise<Answer<'getBalance'>> {
    return this.http.ask('getBalance', {}, options);
  }

  /** Below which balance to be told. What is left out stays; null is what the operator has set. */
  changeAlerts(alerts: Body<'changeBillingAlerts'>, options?: RequestOptions): Promise<Answer<'changeBillingAlerts'>> {
    return this.http.ask('changeBillingAlerts', { body: alerts }, options);
  }

  /** What a minute costs, by the agent's role. */
  agentRoles(options?: RequestOptions): Promise<Answer<'listAgentRoles'>> {
    return this.http.ask('listAgentRoles', {}, options);
  }

  estimate(body: Body<'estimateCost'>, options?: RequestOptions): Promise<Answer<'estimateCost'>> {
    return this.http.ask('estimateCost', { body }, options);
  }

  transactions(query: Query<'listTransactions'> = {}, options?: RequestOptions): Listing<'listTransactions', 'transactions'> {
    const page = (next: object | undefined) => this.http.ask('listTransactions', { query: { ...query, ...next } }, options);
    return new Pages(page, (each) => each.transactions, byOffset(query.offset ?? 0));
  }

  usageSummary(options?: RequestOptions): Promise<Answer<'getUsageSummary'>> {
    return this.http.ask('getUsageSummary', {}, options);
  }
}

export class Analytics {
  constructor(private readonly http: Http) {}

  spend(query: Query<'getSpend'> = {}, options?: RequestOptions): Promise<Answer<'getSpend'>> {
    return this.http.ask('getSpend', { query }, options);
  }
}

export class Webhooks {
  constructor(private readonly http: Http) {}

  list(query: Query<'listWebhooks'> = {}, options?: RequestOptions): Listing<'listWebhooks', 'webhooks'> {
    const page = (next: object | undefined) => this.http.ask('listWebhooks', { query: { ...query, ...next } }, options);
    return new Pages(page, (each) => each.webhooks, byOffset(query.offset ?? 0));
  }

  create(webhook: Body<'createWebhook'>, options?: RequestOptions): Promise<Answer<'createWebhook'>> {
    return this.http.ask('createWebhook', { body: webhook }, options);
  }

  update(webhookId: string, fields: Body<'updateWebhook'>, options?: RequestOptions): Promise<Answer<'updateWebhook'>> {
    return this.http.ask('updateWebhook', { path: { webhook_id: webhookId }, body: fields }, options);
  }

  delete(webhookId: string, options?: RequestOptions): Promise<Answer<'deleteWebhook'>> {
    return this.http.ask('deleteWebhook', { path: { webhook_id: webhookId } }, options);
  }

  /** Have it told something, to see whether it arrives. */
  test(webhookId: string, options?: RequestOptions): Promise<Answer<'testWebhook'>> {
    return this.http.ask('testWebhook', { path: { webhook_id: webhookId } }, options);
  }

  /** What was told to it, or is to be. */
  deliveries(webhookId: string, query: Query<'listWebhookDeliveries'> = {}, options?: RequestOptions): Listing<'listWebhookDeliveries', 'deliveries'> {
    const path = { webhook_id: webhookId };
    const page = (next: object | undefined) => this.http.ask('listWebhookDeliveries', { path, query: { ...query, ...next } }, options);
    return new Pages(page, (each) => each.deliveries, byOffset(query.offset ?? 0));
  }

  delivery(deliveryId: string, options?: RequestOptions): Promise<Answer<'getWebhookDelivery'>> {
    return this.http.ask('getWebhookDelivery', { path: { delivery_id: deliveryId } }, options);
  }

  redeliver(deliveryId: string, options?: RequestOptions): Promise<Answer<'redeliverWebhook'>> {
    return this.http.ask('redeliverWebhook', { path: { delivery_id: deliveryId } }, options);
  }

  readonly verifySignature = verifySignature;
  readonly sign = sign;
}

/** Your carrier account. */
export class Telephony {
  constructor(private readonly http: Http) {}

  connect(carrier: Body<'connectTelephony'>, options?: RequestOptions): Promise<Answer<'connectTelephony'>> {
    return this.http.ask('connectTelephony', { body: carrier }, options);
  }

  /** Whether a carrier would take these credentials. Nothing is stored. */
  validate(carrier: Body<'validateTelephony'>, options?: RequestOptions): Promise<Answer<'validateTelephony'>> {
    return this.http.ask('validateTelephony', { body: carrier }, options);
  }

  status(options?: RequestOptions): Promise<Answer<'getTelephonyStatus'>> {
    return this.http.ask('getTelephonyStatus', {}, options);
  }

  providers(options?: RequestOptions): Promise<Answer<'listTelephonyProviders'>> {
    return this.http.ask('listTelephonyProviders', {}, options);
  }

  /** The numbers of the account. */
  numbers(options?: RequestOptions): Promise<Answer<'listProviderNumbers'>> {
    return this.http.ask('listProviderNumbers', {}, options);
  }

  disconnect(options?: RequestOptions): Promise<Answer<'disconnectTelephony'>> {
    return this.http.ask('disconnectTelephony', {}, options);
  }

  /** When phones may be rung. */
  callingHours(options?: RequestOptions): Promise<Answer<'getCallingHours'>> {
    return this.http.ask('getCallingHours', {}, options);
  }

  setCallingHours(hours: Body<'setCallingHours'>, options?: RequestOptions): Promise<Answer<'setCallingHours'>> {
    return this.http.ask('setCallingHours', { body: hours }, options);
  }

  removeCallingHours(options?: RequestOptions): Promise<Answer<'removeCallingHours'>> {
    return this.http.ask('removeCallingHours', {}, options);
  }
}
