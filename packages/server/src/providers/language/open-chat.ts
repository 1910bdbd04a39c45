import { VconductorError } from "../../errors.ts";
import { anthropicChat } from "./anthropic-chat.ts";
import type { ChatContext, ChatModel } from "./chat.ts";
import { openAiChat } from "./openai-chat.ts";

export const chatProviders = ["openai", "anthropic", "groq", "azure", "compatible"] as const;
export type ChatProvider = (typeof chatProviders)[number];

export interface OpenChat {
  readonly provider: ChatProvider;
  readonly model: string;
  /** Instead of the setting of the provider; needed for `compatible`. */
  readonly baseUrl?: string;
  /** Instead of the secret of the provider. */
  readonly key?: string;
}

const usualOpenAi = "https://api.openai.com/v1";
const azureApiVersion = "2024-10-21";

/**
 * The language model that options name.
 *
 * @throws invalid_options a key or an address is missing; names the variable to set
 */
export function openChat(context: Pick<ChatContext, "secret" | "setting">, options: OpenChat): ChatModel {
  const { provider, model } = options;
  const keyOf = (variable: string) => options.key || context.secret(variable);
  const urlOf = (variable: string) => trimmed(options.baseUrl) ?? context.setting(variable);
  switch (provider) {
    case "anthropic": {
      const baseUrl = needed(urlOf("ANTHROPIC_BASE_URL"), { provider, variable: "ANTHROPIC_BASE_URL" });
      return anthropicChat({
        baseUrl,
        key: needed(keyOf("ANTHROPIC_API_KEY"), { provider, variable: "ANTHROPIC_API_KEY" }),
      });
    }
    case "azure": {
      const base = needed(urlOf("AZURE_OPENAI_ENDPOINT"), { provider, variable: "AZURE_OPENAI_ENDPOINT" });
      const key = needed(keyOf("AZURE_OPENAI_API_KEY"), { provider, variable: "AZURE_OPENAI_API_KEY" });
      const path = `openai/deployments/${encodeURIComponent(model)}/chat/completions`;
      return openAiChat({
        provider,
        url: `${base}/${path}?api-version=${azureApiVersion}`,
        headers: { "api-key": key },
      });
    }
    case "groq": {
      const base = needed(urlOf("GROQ_BASE_URL"), { provider, variable: "GROQ_BASE_URL" });
      const key = needed(keyOf("GROQ_API_KEY"), { provider, variable: "GROQ_API_KEY" });
      return openAiChat({ provider, url: `${base}/chat/completions`, headers: bearer(key) });
    }
    case "compatible": {
      const base = trimmed(options.baseUrl);
      if (base === undefined) throw missing("the provider compatible needs the option base_url");
      return openAiChat({
        provider,
        url: `${base}/chat/completions`,
        headers: options.key ? bearer(options.key) : {},
      });
    }
    case "openai": {
      const base = needed(urlOf("OPENAI_BASE_URL"), { provider, variable: "OPENAI_BASE_URL" });
      const key = keyOf("OPENAI_API_KEY");
      // A server of one's own may want no key.
      const needsKey = base === usualOpenAi;
      const headers = bearer(needsKey ? needed(key, { provider, variable: "OPENAI_API_KEY" }) : key);
      return openAiChat({ provider, url: `${base}/chat/completions`, headers });
    }
    default:
      return provider satisfies never;
  }
}

/** Whether OpenAI can be called at all. */
export function hasOpenAi(context: Pick<ChatContext, "secret" | "setting">): boolean {
  return (
    (context.secret("OPENAI_API_KEY") ?? "") !== "" || context.setting("OPENAI_BASE_URL") !== usualOpenAi
  );
}

function bearer(key: string | undefined): Readonly<Record<string, string>> {
  return key === undefined || key === "" ? {} : { authorization: `Bearer ${key}` };
}

function trimmed(url: string | undefined): string | undefined {
  return url === undefined || url.trim() === "" ? undefined : url.trim().replace(/\/+$/, "");
}

function needed(
  value: string | undefined,
  { provider, variable }: { readonly provider: string; readonly variable: string },
): string {
  if (value !== undefined && value !== "") return value;
  throw missing(
    `the provider ${provider} needs ${variable}, which is not set; set it in the server's environment`,
  );
}

function missing(text: string): VconductorError {
  return new VconductorError("invalid_options", text);
}
