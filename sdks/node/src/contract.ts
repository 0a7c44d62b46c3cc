// Generated from sdks/contract/openapi.json by sdks/contract/generate.mjs. Never edited.

export interface Access {
  /** A LiveKit token, good for six hours. */
  token: string;
  /** Where the room is. */
  url: string;
}

/** How the agent takes turns, listens and speaks. Fields that are not listed here are kept as they are. */
export interface Advanced {
  /** Seconds after which the agent ends a call; 3600 unless said. 0: the installation ends it. */
  maxCallDuration?: number | null;
  /** Who presses this key on a phone is not called again. */
  optOutKey?: string | null;
  prompt_mode?: "builder" | "raw" | null;
  startSpeakingPhrasing?: "agent_greets" | "wait_for_user" | null;
  /** Whether steady noise is taken out before anybody listens. Recordings keep it. */
  stt_background_denoising?: boolean | null;
  /** What the recogniser is less sure of is written down and not answered: the caller is asked again. */
  stt_confidence_threshold?: number | null;
  /** Whether numbers are written as figures, for recognisers that can be told. */
  stt_numeral_formatting?: boolean | null;
  /** Whether swear words are masked, for recognisers that can be told. */
  stt_profanity_filter?: boolean | null;
  temperature?: number | null;
  turnCompletion?: TurnCompletion | null;
  turnDetectorMode?: "steady" | "balanced" | "sensitive" | "provider" | "rms" | "webrtc" | "silero" | "provider-signal" | null;
}

/** The agent with everything that was said of it; what was not said is absent. */
export interface AgentBody {
  agent_role: string;
  /** What a chat model is told; variables without a default stand as names. */
  compiled_prompt: string;
  created_at: string;
  id: string;
  name: string;
  /** `system_prompt` as it was written. */
  raw_system_prompt: string | null;
  updated_at: string;
}

export interface AgentListBody {
  agents: ListedAgentBody[];
  limit: number;
  offset: number;
  total: number;
}

export interface AgentName {
  id: string;
  name: string;
}

export interface AgentPerformance {
  agent_id: string;
  calls: number;
  cost: number;
  minutes: number;
}

/** Only what is sent is changed; null is what the operator has set. */
export interface AlertsBody {
  /** Only `false`: this server sends no mail. Take `billing.low_balance` by a webhook. */
  email_enabled?: false | null;
  /** One more threshold: so many per cent of the newest credit that was added. */
  low_balance_pct?: number | null;
  /** `billing.low_balance` is sent as the balance falls below each of these; none where it is empty. */
  thresholds_usd?: number[] | null;
}

export interface AnalysisModel {
  model?: string | null;
  provider?: string | null;
}

export interface AnalysisUseBody {
  status: "included";
  /** Calls of the last 30 days that were analysed. */
  used_units: number;
}

export interface AttachBody {
  agent_id: string;
}

export interface AttachedNumberBody {
  agent_id: string;
  number: string;
  status: "attached";
}

export interface AttemptBody {
  begun_at: string;
  /** Why there was no answer. */
  error: string | null;
  number: number;
  /** The first 4096 bytes of the answer. */
  reply: string | null;
  status_code: number | null;
  took_ms: number;
}

/** Time is counted at the operator's rate, and is null where that costs nothing. */
export interface BalanceBody {
  agent_roles_in_use: string[];
  balance_seconds: number | null;
  balance_usd: number;
  estimated_minutes_remaining: number | null;
  /** Whether calls can be made. */
  is_active: boolean;
  /** The role of most calls of the last 30 days. */
  primary_role: string | null;
  /** Mean of the last 7 days, once there are as many. */
  recent_daily_spend_usd: number | null;
  /** Price of a minute, by agent role. */
  roles: Record<string, number>;
  runway_days_estimate: number | null;
  tenant_id: string;
  tenant_state: "no_agents" | "agents_no_calls" | "has_calls";
  tone: Tone;
  /** All credit here is topped up, so the same. */
  topup_minutes_remaining: number | null;
}

export interface BatchBody {
  agent_id: string;
  /** A name of your own. Made up if absent. Requests of one name are one batch. */
  batch_id?: string | null;
  /** Everybody in one call, instead of a call for each. */
  conference?: boolean;
  /** Caller ID for recipients that name none. */
  from_number?: string | null;
  metadata?: Record<string, unknown> | null;
  post_call?: PostCall | null;
  recipients?: Recipient[] | null;
  /** Leave out numbers on the Do-Not-Call list instead of refusing. */
  skip_dnc?: boolean;
  to?: string[] | null;
  variables?: Record<string, unknown> | null;
}

export interface BatchProgressBody {
  batch_id: string;
  by_reason: Record<string, number>;
  by_status: Record<string, number>;
  done: number;
  status: "running" | "completed";
  total: number;
}

export interface BatchedCall {
  id: string;
  participants: InvitedParticipant[];
  room_name: string;
  status: CallStatus;
}

export interface BlocklistedBatchBody {
  /** Different numbers that are on the list now. */
  count: number;
  /** What is no number, as it was sent. */
  invalid: string[];
  invalid_count: number;
  status: "blocklisted";
}

export interface BlocklistedBody {
  phone_number: string;
  status: "blocklisted";
}

export interface CallBody {
  /** Required, except with a publishable key, which has its own. */
  agent_id?: string | null;
  metadata?: Record<string, unknown> | null;
  participants: ParticipantBody[];
  post_call?: PostCall | null;
  variables?: Record<string, unknown> | null;
}

export interface CallDetailBody {
  agent: AgentName;
  agent_id: string;
  bill_duration: number | null;
  created_at: string;
  direction: Direction;
  end_reason: string | null;
  ended_at: string | null;
  events: EventBody[];
  id: string;
  intelligence: IntelligenceShown | null;
  intelligence_status: IntelligenceStatus;
  metadata: Record<string, unknown>;
  participants: TrackedParticipant[];
  post_call: Record<string, unknown>;
  recording: RecordingShown | null;
  room_name: string;
  started_at: string | null;
  status: CallStatus;
  total_cost: number | null;
  transcript: DetailTranscript | null;
  variables: Record<string, unknown>;
}

export interface CallListBody {
  calls: ListedCallBody[];
  limit: number;
  next_cursor: string | null;
  offset: number;
  total: number;
}

export type CallStatus = "queued" | "connecting" | "ringing" | "in_progress" | "completed" | "failed";

/** By the clock of whoever is called. */
export interface CallingHoursBody {
  closes: string;
  opens: string;
  /** ISO weekdays: Monday is 1. */
  weekdays?: number[];
}

export interface ChangedAgentBody {
  advanced?: Advanced | null;
  /** `operator` unless something else is said. */
  agent_role?: string | null;
  chat_summary?: string | null;
  custom_llm_url?: string | null;
  custom_transcriber_url?: string | null;
  custom_voice_mode?: "rymi" | "openai-compat" | null;
  custom_voice_url?: string | null;
  features?: Features | null;
  language?: string | null;
  llm_fallback_model?: string | null;
  llm_fallback_provider?: string | null;
  llm_model?: string | null;
  llm_provider?: string | null;
  name?: string | null;
  persona?: Record<string, unknown> | null;
  playbook?: Record<string, unknown> | null;
  post_call?: PostCall | null;
  /** An older word for `advanced`. */
  settings?: Advanced | null;
  stt_fallback_model?: string | null;
  stt_fallback_provider?: string | null;
  stt_model?: string | null;
  stt_provider?: string | null;
  supported_languages?: string[] | null;
  system_prompt?: string | null;
  tools?: ToolBinding[] | null;
  tts_fallback_model?: string | null;
  tts_fallback_provider?: string | null;
  tts_model?: string | null;
  tts_provider?: string | null;
  variables?: VariableBody[] | null;
  voice?: string | null;
}

/** What is left out stays. Only `alert_email` can be taken back, with null. */
export interface ChangedWebhookBody {
  alert_email?: string | null;
  /** Accepted but not sent yet: auth.welcome, billing.topup_confirmed, billing.payment_failed, custom.alert. */
  events?: Array<"call.started" | "call.completed" | "call.failed" | "call.intelligence.ready" | "call.recording.ready" | "participant.joined" | "participant.left" | "batch.completed" | "agent.number_assigned" | "agent.published" | "agent.failed" | "billing.low_balance" | "billing.balance_depleted" | "system.api_key_created" | "system.api_key_revoked" | "auth.welcome" | "billing.topup_confirmed" | "billing.payment_failed" | "custom.alert">;
  /** Signs what is sent. Never shown again. */
  secret?: string;
  /** A public https:// URL. */
  url?: string;
}

export interface CheckedNumberBody {
  blocked: boolean;
  normalized: string | null;
  /** As it was sent. */
  phone_number: string;
  valid: boolean;
}

export interface CheckedNumbersBody {
  blocked_count: number;
  results: CheckedNumberBody[];
  total_checked: number;
}

export interface ConnectBody {
  /** Of Vonage. */
  api_key?: string | null;
  /** Of Vonage. */
  api_secret?: string | null;
  /** Plivo's Auth ID or Twilio's Account SID. */
  auth_id?: string | null;
  /** Of Plivo or Twilio. */
  auth_token?: string | null;
  /** How fast your account may dial, if it may more than others. */
  calls_per_second?: number | null;
  /** How many calls your account may have at once. */
  concurrent_calls?: number | null;
  provider: "plivo" | "twilio" | "vonage";
  /** Vonage's signature secret, with which its webhooks can be verified. */
  signature_secret?: string | null;
}

export interface ConnectedBody {
  account_name: string;
  message: string;
  provider: string;
  status: "connected";
}

export interface CreatedAgentBody {
  id: string;
  status: "created";
}

export interface CreatedBatchBody {
  agent?: AgentName | null;
  batch_id: string;
  calls: BatchedCall[];
  id?: string | null;
  participants: InvitedParticipant[];
  /** How many numbers are going to be called. */
  queued: number;
  room_name?: string | null;
  /** Numbers that were left out because they must not be called. */
  skipped: string[];
  status: "queued";
}

export interface CreatedCallBody {
  agent: AgentName;
  id: string;
  participants: InvitedParticipant[];
  room_name: string;
  status: CallStatus;
}

export interface CreatedKeyBody {
  /** The key. It is shown this once. */
  api_key: string;
  created_at: string;
  id: string;
  /** The same as `api_key`. */
  key: string;
  key_prefix: string;
  label: string;
  last_used_at: string | null;
  /** Until when a key that was replaced still works; else null. */
  revoked_at: string | null;
}

export interface CreatedPublishableKeyBody {
  agent_id: string;
  allowed_channels: Array<"web" | "phone">;
  audience: "sdk" | "landing_demo";
  created_at: string;
  default_from_number: string | null;
  id: string;
  /** The key. It is shown this once. */
  key: string;
  key_prefix: string;
  label: string;
}

export interface CredentialFieldBody {
  label: string;
  name: string;
  required: boolean;
  secret?: boolean | null;
}

export interface CredentialsBody {
  /** Of Vonage. */
  api_key?: string | null;
  /** Of Vonage. */
  api_secret?: string | null;
  /** Plivo's Auth ID or Twilio's Account SID. */
  auth_id?: string | null;
  /** Of Plivo or Twilio. */
  auth_token?: string | null;
  provider: "plivo" | "twilio" | "vonage";
  /** Vonage's signature secret, with which its webhooks can be verified. */
  signature_secret?: string | null;
}

export interface DeletedAgentBody {
  id: string;
  status: "deleted";
}

export interface DeletedRecordingBody {
  call_id: string;
  status: "deleted";
}

export interface DeletedWebhookBody {
  id: string;
  status: "deleted";
}

export interface DeliveryBody {
  attempts: number;
  body: string;
  created_at: string;
  event: string;
  event_id: string;
  finished_at: string | null;
  id: string;
  log: AttemptBody[];
  next_attempt_at: string | null;
  reason: string | null;
  status: DeliveryStatus;
  /** What it is about: of one subject, deliveries are made in order. */
  subject: string;
  webhook_id: string;
}

export interface DeliveryListBody {
  deliveries: ListedDelivery[];
  limit: number;
  offset: number;
  total: number;
}

export type DeliveryStatus = "pending" | "delivered" | "failed";

export interface DetailTranscript {
  raw: RawEntry[];
  segments: Segment[];
  text: string;
}

export type Direction = "inbound" | "outbound";

export interface DisconnectedBody {
  message: string;
  status: "disconnected";
}

export interface DncBatchBody {
  phone_numbers: string[];
  /** `API request` unless something else is said. */
  reason?: string | null;
}

export interface DncBody {
  /** A phone number in international form (E.164). */
  phone_number: string;
  /** `API request` unless something else is said. */
  reason?: string | null;
}

export interface DncCheckBody {
  phone_numbers: string[];
}

export interface DncEntryBody {
  opt_out_at: string;
  phone: string;
  reason: string;
}

export interface DncListBody {
  dnc_entries: DncEntryBody[];
  limit: number;
  offset: number;
  total: number;
}

export interface DropOff {
  bucket: "<30s" | "30-60s" | "1-3m" | "3-5m" | ">5m";
  count: number;
}

export interface EndedCallBody {
  id: string;
  message: string;
  status: "ended";
}

/** Match on `code`; `error` is for people and may change. */
export interface ErrorBody {
  /** What happened, for programs. */
  code: string;
  /** With `validation_error`: each wrong field. */
  details?: ErrorDetail[] | null;
  /** What happened, in words. */
  error: string;
}

export interface ErrorDetail {
  field: string;
  message: string;
}

export interface EstimateBody {
  /** `operator` unless something else is said. */
  agent_role?: string | null;
  /** Connected time. */
  duration_seconds: number;
  /** Another word for `agent_role`. */
  tier?: string | null;
}

export interface EstimatedBody {
  agent_role: string;
  /** Rounded up to whole increments of 30 s. */
  bill_seconds: number;
  cost_usd: number;
  duration_seconds: number;
  rate_per_minute: number;
}

export interface Evaluation {
  criteria?: string | null;
  enabled?: boolean | null;
  /** Another word for `criteria`. */
  rubric?: string | null;
}

export interface EventBody {
  call_id: string;
  created_at: string;
  id: string;
  level: Level;
  message: string;
  source: Source;
}

export interface EventListBody {
  events: EventBody[];
  limit: number;
  offset: number;
  total: number;
}

export interface Extraction {
  enabled?: boolean | null;
  json_schema?: Record<string, unknown> | null;
  prompt?: string | null;
}

export interface Features {
  recording_enabled?: boolean | null;
  /** Said by the carrier to whoever is on the phone before all else, if the call is recorded. */
  recording_notice?: string | null;
  require_consent?: boolean | null;
  transcription_enabled?: boolean | null;
}

export interface GoneBody {
  code: string;
  error: string;
  message: string;
  migration_url: string;
}

/** The newest reading that has ended. While the call is read again, its own `intelligence_status` is `pending`. */
export interface IntelligenceShown {
  /** Where each finding comes from: method, evidence, confidence. */
  details: Record<string, unknown>;
  errors: Array<Record<string, unknown>>;
  evaluation: Record<string, unknown> | null;
  /** Which reading it is: 1 for the first, one more for each reprocessing. */
  revision: number;
  sentiment: string | null;
  status: IntelligenceStatus;
  structured_data: Record<string, unknown> | null;
  summary: string | null;
}

export type IntelligenceStatus = "not_started" | "pending" | "completed" | "failed";

export interface InvitedParticipant {
  access?: Access | null;
  id: string;
  identity: string;
  job_id?: string | null;
  status: "joining" | "queued";
  telephony_leg_id?: string | null;
  transport: "webrtc" | "pstn";
}

export interface KeptHoursBody {
  /** null: calls go out at any hour. */
  calling_hours: ShownHoursBody | null;
}

export interface KeyBody {
  created_at: string;
  id: string;
  key_prefix: string;
  label: string;
  last_used_at: string | null;
  /** Until when a key that was replaced still works; else null. */
  revoked_at: string | null;
}

export interface KeyListBody {
  keys: KeyBody[];
  limit: number;
  offset: number;
  total: number;
}

export interface LegShown {
  answered_by: "human" | "machine" | "unknown" | null;
  /** Billable seconds, as the carrier counts them. */
  bill_duration: number | null;
  /** How it ended, in the carrier's own words. */
  cause: string | null;
  /** What the carrier charges for the leg. It comes minutes after its end. */
  cost: number | null;
  /** What `cost` is counted in, such as `USD`. */
  cost_currency: string | null;
  direction: Direction;
  from_number: string | null;
  id: string;
  provider: string | null;
  provider_call_id: string | null;
  /** Why it failed. */
  reason: string | null;
  status: LegStatus;
  to_number: string;
}

export type LegStatus = "queued" | "ringing" | "in_progress" | "completed" | "failed";

export type Level = "info" | "warning" | "error";

export interface ListedAgentBody {
  agent_role: string;
  created_at: string;
  id: string;
  language: string | null;
  llm_model: string | null;
  llm_provider: string | null;
  name: string;
  voice: string | null;
}

export interface ListedCallBody {
  agent_id: string;
  bill_duration: number | null;
  created_at: string;
  end_reason: string | null;
  ended_at: string | null;
  id: string;
  intelligence_status: "not_started" | "pending" | "completed" | "failed";
  metadata: Record<string, unknown>;
  participant_count: number;
  primary_participant: PrimaryParticipant | null;
  room_name: string;
  started_at: string | null;
  status: CallStatus;
  total_cost: number | null;
}

export interface ListedDelivery {
  attempts: number;
  created_at: string;
  event: string;
  event_id: string;
  finished_at: string | null;
  id: string;
  next_attempt_at: string | null;
  reason: string | null;
  status: DeliveryStatus;
  /** What it is about: of one subject, deliveries are made in order. */
  subject: string;
  webhook_id: string;
}

export interface LlmOptionsBody {
  models: ModelBody[];
  voices: VoiceBody[];
}

export interface MeBody {
  /** The beginning of the key that asks. */
  api_key_prefix: string;
  /** The account. */
  id: string;
  plivo_account_country: string | null;
  plivo_account_name: string | null;
  plivo_connected: boolean;
  telephony_provider: string | null;
}

export type Mode = "cold" | "warm";

export interface ModelBody {
  /** Whether this installation needs a key of the provider. */
  byok_required: boolean;
  id: string;
  label: string;
  provider_id: string;
}

export interface NewAgentBody {
  advanced?: Advanced | null;
  /** `operator` unless something else is said. */
  agent_role?: string | null;
  chat_summary?: string | null;
  custom_llm_url?: string | null;
  custom_transcriber_url?: string | null;
  custom_voice_mode?: "rymi" | "openai-compat" | null;
  custom_voice_url?: string | null;
  features?: Features | null;
  language?: string | null;
  llm_fallback_model?: string | null;
  llm_fallback_provider?: string | null;
  llm_model?: string | null;
  llm_provider?: string | null;
  name: string;
  persona?: Record<string, unknown> | null;
  playbook?: Record<string, unknown> | null;
  post_call?: PostCall | null;
  /** An older word for `advanced`. */
  settings?: Advanced | null;
  stt_fallback_model?: string | null;
  stt_fallback_provider?: string | null;
  stt_model?: string | null;
  stt_provider?: string | null;
  supported_languages?: string[] | null;
  system_prompt?: string | null;
  tools?: ToolBinding[] | null;
  tts_fallback_model?: string | null;
  tts_fallback_provider?: string | null;
  tts_model?: string | null;
  tts_provider?: string | null;
  variables?: VariableBody[] | null;
  voice?: string | null;
}

export interface NewKeyBody {
  /** `API key` unless something else is said. */
  label?: string | null;
}

export interface NewNumberBody {
  /** The agent that answers it. */
  agent_id?: string | null;
  /** A phone number in international form (E.164). */
  number: string;
}

export interface NewPublishableKeyBody {
  agent_id: string;
  /** `["web"]` unless something else is said. */
  allowed_channels?: Array<"web" | "phone"> | null;
  /** `sdk` unless something else is said. */
  audience?: "sdk" | "landing_demo" | null;
  /** Caller ID of its phone calls. */
  default_from_number?: string | null;
  label: string;
}

export interface NewWebhookBody {
  alert_email?: string | null;
  /** Accepted but not sent yet: auth.welcome, billing.topup_confirmed, billing.payment_failed, custom.alert. */
  events: Array<"call.started" | "call.completed" | "call.failed" | "call.intelligence.ready" | "call.recording.ready" | "participant.joined" | "participant.left" | "batch.completed" | "agent.number_assigned" | "agent.published" | "agent.failed" | "billing.low_balance" | "billing.balance_depleted" | "system.api_key_created" | "system.api_key_revoked" | "auth.welcome" | "billing.topup_confirmed" | "billing.payment_failed" | "custom.alert">;
  /** Made for you where there is none, and shown once. */
  secret?: string | null;
  /** A public https:// URL. */
  url: string;
}

export interface NumberBody {
  agent_id: string | null;
  created_at: string;
  id: string;
  number: string;
  /** The same as `number`. */
  phone_number: string;
  /** The carrier it was last seen at. */
  provider: string | null;
  status: string;
  /** What the carrier said, with `failed`. */
  webhook_error: string | null;
  /** Whether the connected carrier sends its calls here: `pending` will be in a moment, `detached` has no agent, `no_carrier` is not a number of the connected account. */
  webhook_status: "configured" | "pending" | "failed" | "detached" | "no_carrier";
}

export interface NumberListBody {
  limit: number;
  numbers: NumberBody[];
  offset: number;
  total: number;
}

export interface OkBody {
  ok: true;
}

export interface ParticipantBody {
  /** Caller ID of a phone. The account's default otherwise. */
  from_number?: string | null;
  /** A name of your choice for a browser; the phone's number in E.164. */
  identity: string;
  metadata?: Record<string, unknown> | null;
  /** An observer listens, never speaks. */
  role?: "customer" | "observer";
  /** `webrtc` for a browser, `pstn` for a phone. */
  transport: "webrtc" | "pstn";
}

export type ParticipantStatus = "queued" | "joining" | "active" | "left" | "failed";

export interface ParticipantsBody {
  participants: ParticipantBody[];
}

/** What to do after the call. What stands here wins over the agent's defaults, field by field. */
export interface PostCall {
  evaluation?: Evaluation | null;
  model?: AnalysisModel | null;
  recording?: Switch | null;
  structured_extraction?: Extraction | null;
  summary?: Summary | null;
}

export interface PrimaryParticipant {
  identity: string;
  transport: Transport;
}

export interface ProviderBody {
  credentialFields: CredentialFieldBody[];
  displayName: string;
  id: string;
}

export interface ProviderNumberBody {
  backend_agent_id: string | null;
  id: string;
  number_status: "active" | "inactive";
  phone_number: string;
  provider: string;
}

export interface ProviderNumbersBody {
  numbers: ProviderNumberBody[];
}

export interface ProvidersBody {
  providers: ProviderBody[];
}

export interface PublishableKeyBody {
  agent_id: string;
  allowed_channels: Array<"web" | "phone">;
  audience: "sdk" | "landing_demo";
  created_at: string;
  default_from_number: string | null;
  id: string;
  key_prefix: string;
  label: string;
  last_used_at: string | null;
}

export interface PublishableKeyListBody {
  keys: PublishableKeyBody[];
  limit: number;
  offset: number;
  total: number;
}

export interface QualityBody {
  call_id: string;
  cut_ins: Array<Record<string, unknown>>;
  measured_at: string;
  /** Whether there is a recording to listen to; else `heard` is null. */
  recorded: boolean;
  /** Gaps, stops and cut-ins: count, p50, p95 and max, in milliseconds. */
  summary: Record<string, unknown>;
  turns: Array<Record<string, unknown>>;
}

export interface QueueStatsBody {
  active: number;
  completed: number;
  failed: number;
  waiting: number;
}

export interface QueuedDeliveryBody {
  delivery_id: string;
  status: "queued";
}

export interface QueuedReprocessBody {
  job_id: string;
  message: string;
  status: "queued";
}

export interface RawEntry {
  ended_at_ms: number | null;
  id: string;
  identity: string | null;
  is_final: boolean;
  /** Who spoke. */
  participant_id: string | null;
  response: string;
  sequence: number;
  source: string;
  speaker: Speaker;
  started_at_ms: number | null;
  text: string;
  type: "user_input" | "ai_response";
}

/** A number to call, under any of the names that clients use for it. */
export interface Recipient {
  from_number?: string | null;
  identity?: string | null;
  metadata?: Record<string, unknown> | null;
  phone?: string | null;
  phone_number?: string | null;
  to?: string | null;
}

export interface RecordingBody {
  call_id: string;
  recording: RecordingShown;
}

export interface RecordingShown {
  format: string;
  id: string;
  metadata: Record<string, unknown>;
  provider_recording_id: string | null;
  status: RecordingStatus;
}

export type RecordingStatus = "pending" | "ready" | "failed" | "disabled";

export interface RegisteredNumberBody {
  agent_id: string | null;
  number: string;
  status: "registered";
}

export interface RegisteredWebhookBody {
  alert_email: string | null;
  created_at: string;
  events: string[];
  id: string;
  /** Only where it was made here. */
  secret?: string | null;
  status: "registered";
  url: string;
}

export interface RemovedDncBody {
  phone: string;
  status: "removed";
}

export interface RemovedNumberBody {
  number: string;
  status: "removed";
}

export interface ReplacedKeyBody {
  id: string;
  /** From when on it is refused. */
  revoked_at: string;
}

export interface RevokedKeyBody {
  id: string;
  status: "revoked";
}

export interface RevokedPublishableKeyBody {
  success: true;
}

export type Role = "customer" | "observer" | "agent";

export interface RoleBody {
  display_name: string;
  rate_per_minute: number;
  rate_per_second: number;
}

export interface RolesBody {
  roles: Record<string, RoleBody>;
}

export interface RotatedKeyBody {
  /** The key. It is shown this once. */
  api_key: string;
  created_at: string;
  id: string;
  /** The same as `api_key`. */
  key: string;
  key_prefix: string;
  label: string;
  last_used_at: string | null;
  replaced: ReplacedKeyBody;
  /** Until when a key that was replaced still works; else null. */
  revoked_at: string | null;
}

export interface RotationBody {
  /** How long the replaced key still works. */
  grace_seconds?: number;
}

export interface Segment {
  ended_at_ms: number | null;
  identity: string | null;
  is_final: boolean;
  /** Who spoke. */
  participant_id: string | null;
  sequence: number;
  source: string;
  speaker: Speaker;
  started_at_ms: number | null;
  text: string;
}

export interface Sentiments {
  negative: number;
  neutral: number;
  positive: number;
  unknown: number;
}

export interface ShownHoursBody {
  closes: string;
  opens: string;
  weekdays: number[];
}

export type Source = "lifecycle" | "post_call" | "telephony" | "livekit";

export type Speaker = "user" | "agent";

/** Minutes and costs are those billed here; what carriers charge stands in `telecom_costs` alone. */
export interface SpendBody {
  /** The busiest first, at most 200. */
  agent_performance: AgentPerformance[];
  /** Of the calls that somebody was in. */
  average_duration_seconds: number;
  completed_calls: number;
  /** How long people were connected, shortest first. */
  drop_off_points: DropOff[];
  filters: SpendFilters;
  in_progress_calls: number;
  sentiment_distribution: Sentiments;
  status_distribution: Record<string, number>;
  /** Completed calls among those that are over, from 0 to 1. */
  success_rate: number;
  telecom_costs: TelecomCosts;
  /** Every day (UTC) of the span, oldest first. */
  time_series: SpendDay[];
  total_calls: number;
  /** What these calls cost of the account's credit. */
  total_spent: number;
}

export interface SpendDay {
  calls: number;
  cost: number;
  date: string;
  minutes: number;
}

export interface SpendFilters {
  agent_id: string | null;
  from: string;
  status: CallStatus | null;
  to: string;
}

export interface StatusBody {
  /** Where the carrier says it; none of today's does. */
  account_country: string | null;
  account_name: string | null;
  connected: boolean;
  provider: string | null;
}

export interface Summary {
  enabled?: boolean | null;
  prompt?: string | null;
}

export interface SummaryBody {
  sentiment: string | null;
  status: IntelligenceStatus;
  summary: string | null;
}

export interface Switch {
  enabled?: boolean | null;
}

/** What carriers charge for the phone legs of these calls, to the account that owns the number. */
export interface TelecomCosts {
  /** Of the legs that are charged in dollars. */
  cost_usd: number;
  /** What is charged in other currencies, by their names. */
  other_currencies: Record<string, number>;
  /** Billable ones, as the carriers count them. */
  total_minutes: number;
}

export type Tone = "ok" | "low" | "critical" | "depleted";

/** A tool that the agent may use. Fields that are not listed here are kept as they are. */
export interface ToolBinding {
  credential_ref?: string | null;
  enabled?: boolean | null;
  /** Of `call_webhook`: name, description, url (public, https), method, headers, and parameters as a JSON Schema. Of `handoff_to_human`: number, or transfer_number, mode and agent as of a transfer. */
  provider_settings?: Record<string, unknown> | null;
  side_effect?: "read" | "write" | null;
  timeout_ms?: number | null;
  /** One of `end_call`, `handoff_to_human`, `opt_out`, `call_webhook`, `press_keys`, `check_calendar_availability`, `list_calendar_events`, `create_calendar_event`, `update_calendar_event`, `delete_calendar_event`, `lookup_customer`, `send_whatsapp_message`, `send_telegram_message`, `send_asset`. */
  tool_id: string;
}

export interface TrackedParticipant {
  call_id: string;
  id: string;
  identity: string;
  joined_at: string | null;
  leave_reason: string | null;
  left_at: string | null;
  metadata: Record<string, unknown>;
  role: Role;
  status: ParticipantStatus;
  /** Phones only. */
  telephony_leg?: LegShown | null;
  transport: Transport;
}

export interface TransactionBody {
  /** Negative where it was charged. */
  amount_usd: number;
  balance_after_usd: number;
  call_id: string | null;
  created_at: string;
  kind: "grant" | "settlement";
  note: string;
  /** What was moved for; a movement happens once for each. */
  reference: string;
}

export interface TransactionListBody {
  limit: number;
  offset: number;
  total: number;
  transactions: TransactionBody[];
}

export interface TranscriptBody {
  segments: Segment[];
  text: string;
  transcript: RawEntry[];
}

export interface TransferBody {
  /** What the agent does once the human is briefed. `stay`: it listens, records and writes down, and comes back when the human leaves first. `leave`: it leaves the call to the people in it, of whom nothing is recorded or written down from then on; when the human leaves first, another agent is sent. Warm only. */
  agent?: "stay" | "leave";
  /** What the agent says to the human, whom alone it reaches. Warm only. */
  briefing?: string;
  /** Caller ID. The account's default otherwise. */
  from_number?: string | null;
  /** `warm` dials the human into the call, where the agent briefs them and steps back. `cold` hands the caller's phone over to them; the call ends for us. */
  mode?: "warm" | "cold";
  /** Which phone is handed over, where several are in the call. Cold only. */
  participant_id?: string | null;
  /** The human's number. */
  to: string;
}

export interface TransferredParticipant {
  access?: Access | null;
  id: string;
  identity: string;
  job_id?: string | null;
  status: ParticipantStatus;
  telephony_leg_id?: string | null;
  transport: "webrtc" | "pstn";
}

export interface TransferringBody {
  id: string;
  mode: Mode;
  /** The human who is dialed (warm), or the caller who is handed over (cold). */
  participant: TransferredParticipant;
  /** Always `transferring`; the call's events say what became of it. */
  status: string;
  to: string;
}

export type Transport = "webrtc" | "pstn" | "sip" | "internal";

/** Whether a language model is asked to tell that the caller was not done, and for how long it then waits. */
export interface TurnCompletion {
  enabled?: boolean | null;
  /** For somebody who asked for a moment; 10000 unless said. */
  incompleteLongMs?: number | null;
  /** After a sentence that was cut short; 5000 unless said. */
  incompleteShortMs?: number | null;
  markerSet?: "unicode" | "ascii" | null;
}

export interface UpdatedAgentBody {
  id: string;
  status: "updated";
}

export interface UpdatedWebhookBody {
  id: string;
  status: "updated";
}

export interface UsageSummaryBody {
  post_call_intelligence: AnalysisUseBody;
  voice_runtime: VoiceRuntimeBody;
}

export interface ValidatedBody {
  /** With `valid`. */
  accountName?: string | null;
  /** Why the carrier does not take them, otherwise. */
  error?: string | null;
  valid: boolean;
}

/** Something that an agent may be told of a call. */
export interface VariableBody {
  acquisition?: "ask" | "extract" | "none" | null;
  default?: unknown;
  description?: string | null;
  enumValues?: Array<string | number> | null;
  key: string;
  metadataKey?: string | null;
  origin?: "caller" | "playbook" | "postcall" | "prompt" | "template" | null;
  required?: boolean | null;
  type?: "string" | "number" | "boolean" | "enum" | null;
}

export interface VoiceBody {
  /** Whether this installation needs a key of the provider. */
  byok_required: boolean;
  gender: "female" | "male" | "neutral" | null;
  id: string;
  label: string;
  name: string;
  preview_url: string | null;
  provider: string;
  supported_model_ids: string[];
}

export interface VoiceRuntimeBody {
  remaining_minutes: number | null;
  status: Tone;
}

export interface WebhookBody {
  alert_email: string | null;
  created_at: string;
  events: string[];
  id: string;
  url: string;
}

export interface WebhookListBody {
  limit: number;
  offset: number;
  total: number;
  webhooks: WebhookBody[];
}

/** What each operation is asked with and answers. */
export interface Operations {
  /** List agents */
  listAgents: {
    query: {
      /** How many to return (at most 200). */
      limit?: number;
      /** How many to skip. */
      offset?: number;
    };
    body: undefined;
    answer: AgentListBody;
  };
  /** Create an agent */
  createAgent: {
    query: undefined;
    body: NewAgentBody;
    answer: CreatedAgentBody;
  };
  /** Models and voices to choose from */
  listLlmOptions: {
    query: undefined;
    body: undefined;
    answer: LlmOptionsBody;
  };
  /** Delete an agent */
  deleteAgent: {
    query: undefined;
    body: undefined;
    answer: DeletedAgentBody;
  };
  /** An agent */
  getAgent: {
    query: undefined;
    body: undefined;
    answer: AgentBody;
  };
  /** Change an agent */
  updateAgent: {
    query: undefined;
    body: ChangedAgentBody;
    answer: UpdatedAgentBody;
  };
  /** The calls of an agent */
  listAgentCalls: {
    query: {
      /** Only calls in this status. */
      status?: CallStatus | null;
      /** How many to return (at most 200). */
      limit?: number;
      /** How many to skip. */
      offset?: number;
    };
    body: undefined;
    answer: CallListBody;
  };
  /** Copy an agent */
  cloneAgent: {
    query: undefined;
    body: undefined;
    answer: CreatedAgentBody;
  };
  /** Calls, minutes and cost in a span of days */
  getSpend: {
    query: {
      /** First day, in UTC. 30 days to `to` else. */
      from?: string | null;
      /** Last day, in UTC. Today else. */
      to?: string | null;
      /** Only calls of this agent. */
      agent_id?: string | null;
      /** Only calls in this status. */
      status?: CallStatus | null;
    };
    body: undefined;
    answer: SpendBody;
  };
  /** List secret keys */
  listApiKeys: {
    query: {
      /** How many to return (at most 200). */
      limit?: number;
      /** How many to skip. */
      offset?: number;
    };
    body: undefined;
    answer: KeyListBody;
  };
  /** Create a secret key */
  createApiKey: {
    query: undefined;
    body: NewKeyBody | null | undefined;
    answer: CreatedKeyBody;
  };
  /** Revoke a secret key */
  revokeApiKey: {
    query: undefined;
    body: undefined;
    answer: RevokedKeyBody;
  };
  /** Replace a secret key */
  rotateApiKey: {
    query: undefined;
    body: RotationBody | null | undefined;
    answer: RotatedKeyBody;
  };
  /** The account of this key */
  getMe: {
    query: undefined;
    body: undefined;
    answer: MeBody;
  };
  /** Prices by agent role */
  listAgentRoles: {
    query: undefined;
    body: undefined;
    answer: RolesBody;
  };
  /** Below which balance to be told */
  changeBillingAlerts: {
    query: undefined;
    body: AlertsBody;
    answer: OkBody;
  };
  /** The balance, and how long it lasts */
  getBalance: {
    query: undefined;
    body: undefined;
    answer: BalanceBody;
  };
  /** What a call would cost */
  estimateCost: {
    query: undefined;
    body: EstimateBody;
    answer: EstimatedBody;
  };
  /** Every movement of credit */
  listTransactions: {
    query: {
      /** How many to return (at most 200). */
      limit?: number;
      /** How many to skip. */
      offset?: number;
    };
    body: undefined;
    answer: TransactionListBody;
  };
  /** What is left and what was used */
  getUsageSummary: {
    query: undefined;
    body: undefined;
    answer: UsageSummaryBody;
  };
  /** List calls */
  listCalls: {
    query: {
      /** How many to return (at most 200). */
      limit?: number;
      /** How many to skip. */
      offset?: number;
      /** The `next_cursor` of the page before. */
      cursor?: string | null;
      /** Only calls in this status. */
      status?: CallStatus | null;
      /** Only calls of this batch. */
      batch_id?: string | null;
    };
    body: undefined;
    answer: CallListBody;
  };
  /** Create a call */
  createCall: {
    query: undefined;
    body: CallBody;
    answer: CreatedCallBody;
  };
  /** List active calls */
  listActiveCalls: {
    query: {
      /** How many to return (at most 200). */
      limit?: number;
      /** How many to skip. */
      offset?: number;
      /** The `next_cursor` of the page before. */
      cursor?: string | null;
    };
    body: undefined;
    answer: CallListBody;
  };
  /** Call many numbers */
  createBatch: {
    query: undefined;
    body: BatchBody;
    answer: CreatedBatchBody;
  };
  /** How far a batch has come */
  getBatch: {
    query: undefined;
    body: undefined;
    answer: BatchProgressBody;
  };
  /** How many phones wait to be dialed */
  getQueueStats: {
    query: undefined;
    body: undefined;
    answer: QueueStatsBody;
  };
  /** Everything about a call */
  getCall: {
    query: undefined;
    body: undefined;
    answer: CallDetailBody;
  };
  /** End a call for everybody */
  endCall: {
    query: undefined;
    body: undefined;
    answer: EndedCallBody;
  };
  /** The call's log */
  listCallEvents: {
    query: {
      /** How many to return (at most 200). */
      limit?: number;
      /** How many to skip. */
      offset?: number;
    };
    body: undefined;
    answer: EventListBody;
  };
  /** Add participants to a call */
  addParticipants: {
    query: undefined;
    body: ParticipantsBody;
    answer: CreatedCallBody;
  };
  /** How well turns were taken */
  getCallQuality: {
    query: undefined;
    body: undefined;
    answer: QualityBody;
  };
  /** Delete the recording */
  deleteCallRecording: {
    query: undefined;
    body: undefined;
    answer: DeletedRecordingBody;
  };
  /** The newest recording */
  getCallRecording: {
    query: undefined;
    body: undefined;
    answer: RecordingBody;
  };
  /** Analyse a completed call again */
  reprocessCall: {
    query: undefined;
    body: undefined;
    answer: QueuedReprocessBody;
  };
  /** A call as it happens */
  streamCall: {
    query: undefined;
    body: undefined;
    answer: unknown;
  };
  /** Summary and sentiment */
  getCallSummary: {
    query: undefined;
    body: undefined;
    answer: SummaryBody;
  };
  /** Who said what */
  getCallTranscript: {
    query: undefined;
    body: undefined;
    answer: TranscriptBody;
  };
  /** Transfer a call to a human */
  transferCall: {
    query: undefined;
    body: TransferBody;
    answer: TransferringBody;
  };
  /** The Do-Not-Call list */
  listDnc: {
    query: {
      /** How many to return (at most 500). */
      limit?: number;
      /** How many to skip. */
      offset?: number;
    };
    body: undefined;
    answer: DncListBody;
  };
  /** Never ring a number again */
  addDnc: {
    query: undefined;
    body: DncBody;
    answer: BlocklistedBody;
  };
  /** Never ring many numbers again */
  addDncBatch: {
    query: undefined;
    body: DncBatchBody;
    answer: BlocklistedBatchBody;
  };
  /** Which of these numbers must not be rung */
  checkDnc: {
    query: undefined;
    body: DncCheckBody;
    answer: CheckedNumbersBody;
  };
  /** Allow a number again */
  removeDnc: {
    query: undefined;
    body: undefined;
    answer: RemovedDncBody;
  };
  /** List publishable keys */
  listPublishableKeys: {
    query: {
      /** How many to return (at most 200). */
      limit?: number;
      /** How many to skip. */
      offset?: number;
    };
    body: undefined;
    answer: PublishableKeyListBody;
  };
  /** Create a publishable key */
  createPublishableKey: {
    query: undefined;
    body: NewPublishableKeyBody;
    answer: CreatedPublishableKeyBody;
  };
  /** Revoke a publishable key */
  revokePublishableKey: {
    query: undefined;
    body: undefined;
    answer: RevokedPublishableKeyBody;
  };
  /** List numbers */
  listNumbers: {
    query: {
      /** How many to return (at most 200). */
      limit?: number;
      /** How many to skip. */
      offset?: number;
    };
    body: undefined;
    answer: NumberListBody;
  };
  /** Register a number */
  registerNumber: {
    query: undefined;
    body: NewNumberBody;
    answer: RegisteredNumberBody;
  };
  /** Remove a number */
  removeNumber: {
    query: undefined;
    body: undefined;
    answer: RemovedNumberBody;
  };
  /** Let an agent answer a number */
  attachNumber: {
    query: undefined;
    body: AttachBody;
    answer: AttachedNumberBody;
  };
  /** Call at any hour */
  removeCallingHours: {
    query: undefined;
    body: undefined;
    answer: KeptHoursBody;
  };
  /** When calls go out */
  getCallingHours: {
    query: undefined;
    body: undefined;
    answer: KeptHoursBody;
  };
  /** Keep to calling hours */
  setCallingHours: {
    query: undefined;
    body: CallingHoursBody;
    answer: KeptHoursBody;
  };
  /** Connect your carrier account */
  connectTelephony: {
    query: undefined;
    body: ConnectBody;
    answer: ConnectedBody;
  };
  /** Disconnect the carrier */
  disconnectTelephony: {
    query: undefined;
    body: undefined;
    answer: DisconnectedBody;
  };
  /** The numbers of the connected carrier account */
  listProviderNumbers: {
    query: undefined;
    body: undefined;
    answer: ProviderNumbersBody;
  };
  /** Which carriers there are */
  listTelephonyProviders: {
    query: undefined;
    body: undefined;
    answer: ProvidersBody;
  };
  /** Which carrier is connected */
  getTelephonyStatus: {
    query: undefined;
    body: undefined;
    answer: StatusBody;
  };
  /** Check carrier credentials */
  validateTelephony: {
    query: undefined;
    body: CredentialsBody;
    answer: ValidatedBody;
  };
  /** List webhooks */
  listWebhooks: {
    query: {
      /** How many to return (at most 200). */
      limit?: number;
      /** How many to skip. */
      offset?: number;
    };
    body: undefined;
    answer: WebhookListBody;
  };
  /** Register a webhook */
  createWebhook: {
    query: undefined;
    body: NewWebhookBody;
    answer: RegisteredWebhookBody;
  };
  /** One delivery, with its body and every attempt */
  getWebhookDelivery: {
    query: undefined;
    body: undefined;
    answer: DeliveryBody;
  };
  /** Send something again */
  redeliverWebhook: {
    query: undefined;
    body: undefined;
    answer: QueuedDeliveryBody;
  };
  /** Delete a webhook */
  deleteWebhook: {
    query: undefined;
    body: undefined;
    answer: DeletedWebhookBody;
  };
  /** Change a webhook */
  updateWebhook: {
    query: undefined;
    body: ChangedWebhookBody;
    answer: UpdatedWebhookBody;
  };
  /** What was sent to a webhook */
  listWebhookDeliveries: {
    query: {
      /** Only deliveries in this status. */
      status?: DeliveryStatus | null;
      /** How many to return (at most 200). */
      limit?: number;
      /** How many to skip. */
      offset?: number;
    };
    body: undefined;
    answer: DeliveryListBody;
  };
  /** Send a ping */
  testWebhook: {
    query: undefined;
    body: undefined;
    answer: QueuedDeliveryBody;
  };
}

/** Method, path, and whether an `Idempotency-Key` makes it safe to send again. */
export const OPERATIONS = {
  listAgents: ['GET', '/v1/agents', false],
  createAgent: ['POST', '/v1/agents', true],
  listLlmOptions: ['GET', '/v1/agents/llm-options', false],
  deleteAgent: ['DELETE', '/v1/agents/{agent_id}', false],
  getAgent: ['GET', '/v1/agents/{agent_id}', false],
  updateAgent: ['PUT', '/v1/agents/{agent_id}', false],
  listAgentCalls: ['GET', '/v1/agents/{agent_id}/calls', false],
  cloneAgent: ['POST', '/v1/agents/{agent_id}/clone', true],
  getSpend: ['GET', '/v1/analytics/spend', false],
  listApiKeys: ['GET', '/v1/auth/api-keys', false],
  createApiKey: ['POST', '/v1/auth/api-keys', true],
  revokeApiKey: ['DELETE', '/v1/auth/api-keys/{key_id}', false],
  rotateApiKey: ['POST', '/v1/auth/api-keys/{key_id}/rotate', true],
  getMe: ['GET', '/v1/auth/me', false],
  listAgentRoles: ['GET', '/v1/billing/agent-roles', false],
  changeBillingAlerts: ['PUT', '/v1/billing/alerts', false],
  getBalance: ['GET', '/v1/billing/balance', false],
  estimateCost: ['POST', '/v1/billing/estimate', false],
  listTransactions: ['GET', '/v1/billing/transactions', false],
  getUsageSummary: ['GET', '/v1/billing/usage-summary', false],
  listCalls: ['GET', '/v1/calls', false],
  createCall: ['POST', '/v1/calls', true],
  listActiveCalls: ['GET', '/v1/calls/active', false],
  createBatch: ['POST', '/v1/calls/batch', true],
  getBatch: ['GET', '/v1/calls/batch/{batch_id}', false],
  getQueueStats: ['GET', '/v1/calls/queue/stats', false],
  getCall: ['GET', '/v1/calls/{call_id}', false],
  endCall: ['POST', '/v1/calls/{call_id}/end', false],
  listCallEvents: ['GET', '/v1/calls/{call_id}/events', false],
  addParticipants: ['POST', '/v1/calls/{call_id}/participants', true],
  getCallQuality: ['GET', '/v1/calls/{call_id}/quality', false],
  deleteCallRecording: ['DELETE', '/v1/calls/{call_id}/recording', false],
  getCallRecording: ['GET', '/v1/calls/{call_id}/recording', false],
  reprocessCall: ['POST', '/v1/calls/{call_id}/reprocess', true],
  streamCall: ['GET', '/v1/calls/{call_id}/stream', false],
  getCallSummary: ['GET', '/v1/calls/{call_id}/summary', false],
  getCallTranscript: ['GET', '/v1/calls/{call_id}/transcript', false],
  transferCall: ['POST', '/v1/calls/{call_id}/transfer', true],
  listDnc: ['GET', '/v1/dnc', false],
  addDnc: ['POST', '/v1/dnc', true],
  addDncBatch: ['POST', '/v1/dnc/batch', true],
  checkDnc: ['POST', '/v1/dnc/check', false],
  removeDnc: ['DELETE', '/v1/dnc/{phone}', false],
  listPublishableKeys: ['GET', '/v1/keys/publishable', false],
  createPublishableKey: ['POST', '/v1/keys/publishable', true],
  revokePublishableKey: ['DELETE', '/v1/keys/publishable/{key_id}', false],
  listNumbers: ['GET', '/v1/numbers', false],
  registerNumber: ['POST', '/v1/numbers', true],
  removeNumber: ['DELETE', '/v1/numbers/{number}', false],
  attachNumber: ['POST', '/v1/numbers/{number}/attach', false],
  removeCallingHours: ['DELETE', '/v1/telephony/calling-hours', false],
  getCallingHours: ['GET', '/v1/telephony/calling-hours', false],
  setCallingHours: ['PUT', '/v1/telephony/calling-hours', false],
  connectTelephony: ['POST', '/v1/telephony/connect', false],
  disconnectTelephony: ['POST', '/v1/telephony/disconnect', true],
  listProviderNumbers: ['GET', '/v1/telephony/numbers', false],
  listTelephonyProviders: ['GET', '/v1/telephony/providers', false],
  getTelephonyStatus: ['GET', '/v1/telephony/status', false],
  validateTelephony: ['POST', '/v1/telephony/validate', false],
  listWebhooks: ['GET', '/v1/webhooks', false],
  createWebhook: ['POST', '/v1/webhooks', true],
  getWebhookDelivery: ['GET', '/v1/webhooks/deliveries/{delivery_id}', false],
  redeliverWebhook: ['POST', '/v1/webhooks/deliveries/{delivery_id}/redeliver', true],
  deleteWebhook: ['DELETE', '/v1/webhooks/{webhook_id}', false],
  updateWebhook: ['PATCH', '/v1/webhooks/{webhook_id}', false],
  listWebhookDeliveries: ['GET', '/v1/webhooks/{webhook_id}/deliveries', false],
  testWebhook: ['POST', '/v1/webhooks/{webhook_id}/test', true],
} as const;

/** Codes of refusals that the API's document names. */
export type DocumentedCode =
  | 'body_too_large'
  | 'call_already_ended'
  | 'call_not_completed'
  | 'carrier_busy'
  | 'carrier_check_failed'
  | 'carrier_credentials_invalid'
  | 'database_unreachable'
  | 'delivery_not_finished'
  | 'dnc_conflict'
  | 'from_number_unknown'
  | 'idempotency_in_progress'
  | 'idempotency_mismatch'
  | 'insufficient_credits'
  | 'key_already_replaced'
  | 'last_key'
  | 'no_caller_id'
  | 'no_phone_to_transfer'
  | 'not_found'
  | 'not_ready'
  | 'number_taken'
  | 'publishable_key_scope'
  | 'quota_exceeded'
  | 'rate_limited'
  | 'tenant_paused'
  | 'too_many_connect_attempts'
  | 'too_many_streams'
  | 'too_many_webhooks'
  | 'unauthorized'
  | 'validation_error';
