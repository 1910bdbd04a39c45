import { absoluteUrl } from "./addresses.ts";
import { integer, optional, seconds, secret, text } from "./kinds.ts";
import { type Kind, type Setting, setting } from "./setting.ts";

const providers = "Providers";

/** A setting that processors ask for by name. */
function providerSetting<Value>(options: {
  readonly variable: string;
  readonly kind: Kind<Value>;
  readonly default?: string;
  readonly meaning: string;
}): Setting<Value> {
  const { default: value = "", ...rest } = options;
  return setting({
    ...rest,
    group: providers,
    default: value,
    ...(value === "" ? { defaultMeans: "none" } : {}),
  });
}

function address(variable: string, value: string, meaning: string): Setting<string | undefined> {
  return providerSetting({ variable, kind: optional(absoluteUrl), default: value, meaning });
}

function key(variable: string, meaning: string): Setting<string | undefined> {
  return providerSetting({ variable, kind: optional(secret), meaning });
}

/** Settings that processors read with `context.setting(name)`. */
export const providerSettings: readonly Setting<unknown>[] = [
  providerSetting({
    variable: "PROVIDER_RETRIES",
    kind: integer({ min: 0, max: 100 }),
    default: "4",
    meaning:
      "How often a call to a provider is made again after 408, 429, 5xx, a network failure or a timeout.",
  }),
  providerSetting({
    variable: "PROVIDER_RETRY_SECONDS",
    kind: seconds(3600),
    default: "1",
    meaning:
      "The wait before the first repetition, where the provider does not say (`Retry-After`); it doubles each time.",
  }),
  providerSetting({
    variable: "PROVIDER_TIMEOUT_SECONDS",
    kind: seconds(86_400),
    default: "200",
    meaning: "How long one call to a provider may take.",
  }),
  address("OPENAI_BASE_URL", "https://api.openai.com/v1", "Where OpenAI's API, or a compatible one, is."),
  address("ANTHROPIC_BASE_URL", "https://api.anthropic.com", "Where Anthropic's API is."),
  address("GROQ_BASE_URL", "https://api.groq.com/openai/v1", "Where Groq's API is."),
  address("DEEPGRAM_BASE_URL", "https://api.deepgram.com", "Where Deepgram's API is."),
  address("ASSEMBLYAI_BASE_URL", "https://api.assemblyai.com", "Where AssemblyAI's API is."),
  address(
    "AZURE_OPENAI_ENDPOINT",
    "",
    "Where your Azure OpenAI resource is, for example https://NAME.openai.azure.com.",
  ),
  address(
    "WHISPER_BASE_URL",
    "",
    "Where a Whisper server with OpenAI's API is, for example http://localhost:9000/v1 (to be allowed in FETCH_ALLOW).",
  ),
  providerSetting({
    variable: "SMTP_HOST",
    kind: optional(text),
    meaning: "The mail server that e-mails are sent through where a pipeline names none.",
  }),
  providerSetting({
    variable: "SMTP_PORT",
    kind: integer({ min: 0, max: 65_535 }),
    default: "0",
    meaning:
      "The port of SMTP_HOST. 0 stands for 465 with TLS from the start, else 25. STARTTLS is used where the server offers it.",
  }),
  providerSetting({
    variable: "SMTP_USER",
    kind: optional(text),
    meaning: "The user to sign in to SMTP_HOST with.",
  }),
  providerSetting({
    variable: "SMTP_FROM",
    kind: optional(text),
    meaning: "The sender of e-mails where a pipeline names none.",
  }),
  address("SLACK_BASE_URL", "https://slack.com/api", "Where Slack's API is."),
];

/** Keys of providers. Their values are no part of the configuration object, so that nothing can log them. */
export const secretSettings: readonly Setting<unknown>[] = [
  key("DEEPGRAM_KEY", "The key for Deepgram's transcription service."),
  key("OPENAI_API_KEY", "The key for OpenAI's services."),
  key("ANTHROPIC_API_KEY", "The key for Anthropic's services."),
  key("GROQ_API_KEY", "The key for Groq's services."),
  key("AZURE_OPENAI_API_KEY", "The key for AZURE_OPENAI_ENDPOINT."),
  key("ASSEMBLYAI_API_KEY", "The key for AssemblyAI's transcription service."),
  key("WHISPER_API_KEY", "The key for WHISPER_BASE_URL, if it wants one."),
  key("SMTP_PASSWORD", "The password of SMTP_USER."),
  key("SLACK_BOT_TOKEN", "The token of a Slack app that may write messages (chat:write)."),
  key("SLACK_WEBHOOK_URL", "The address of an incoming webhook of Slack."),
  key("WEBHOOK_SECRET", "The secret that webhooks are signed with."),
];
