/** What a value looks like in a list of settings: in the server's state, in `vconductor check`, in the docs. */
export type Plain = string | number | boolean | null | readonly Plain[] | { readonly [name: string]: Plain };

/** What a setting's value may depend on beyond its own text. */
export interface Surroundings {
  /** Relative paths are relative to this directory. */
  readonly directory: string;
  /** Processor cores of this machine. */
  readonly cores: number;
  /** The database URL schemes that something is bound to. */
  readonly schemes: readonly string[];
  /** Every documented setting's name. */
  readonly variables: readonly string[];
}

/** How the text of a variable becomes a value, and back for display. */
export interface Kind<Value> {
  /** What is valid, as a noun phrase: "an integer, 1 or more". */
  readonly label: string;
  /** @throws InvalidValue saying what would be valid */
  parse(text: string, surroundings: Surroundings): Value;
  /** The value for display. Secrets and passwords are masked here. */
  plain(value: Value): Plain;
  /** The text as an error may repeat it. Default: unchanged */
  mask?(text: string): string;
}

/** Why a text is not a valid value. `message` says what would be valid. */
export class InvalidValue extends Error {
  override readonly name = "InvalidValue";
}

/** One line of the table of settings, as it is written. */
export interface SettingSource<Value> {
  /** The environment variable. */
  readonly variable: string;
  readonly group: string;
  readonly kind: Kind<Value>;
  /** The text that is read when the variable is not set, or the setting whose value holds then. */
  readonly default: string | Setting<Value>;
  /** The default in words, where its text does not say it. */
  readonly defaultMeans?: string;
  /** What it is for: one or two sentences. */
  readonly meaning: string;
  /** The text that an empty variable stands for. Default: an empty variable counts as not set */
  readonly empty?: string;
}

/** One line of the table of settings, as it is used. */
export interface Setting<Value> {
  readonly variable: string;
  readonly group: string;
  /** What is valid, as a noun phrase. */
  readonly type: string;
  /** The default, in words. */
  readonly default: string;
  /** What it is for, ending in "Default: …." */
  readonly meaning: string;
  /** Whether the environment sets it. */
  isSet(env: Environment): boolean;
  /** @throws InvalidValue */
  read(env: Environment, surroundings: Surroundings): Value;
  /** The value in force, for display; masked. @throws InvalidValue */
  plain(env: Environment, surroundings: Surroundings): Plain;
  /** The text as given, masked. */
  given(env: Environment): string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

export function setting<Value>(source: SettingSource<Value>): Setting<Value> {
  const { variable, kind } = source;
  const fallback = source.default;
  const words =
    source.defaultMeans ?? (typeof fallback === "string" ? fallback : `same as ${fallback.variable}`);
  const given = (env: Environment) => {
    const text = env[variable]?.trim();
    return text === "" ? source.empty : text;
  };
  const read = (env: Environment, surroundings: Surroundings) => {
    const text = given(env);
    if (text !== undefined) return kind.parse(text, surroundings);
    return typeof fallback === "string"
      ? kind.parse(fallback, surroundings)
      : fallback.read(env, surroundings);
  };
  return {
    variable,
    group: source.group,
    type: kind.label,
    default: words,
    meaning: `${source.meaning} Default: ${words}.`,
    isSet: (env) => given(env) !== undefined,
    read,
    plain: (env, surroundings) => kind.plain(read(env, surroundings)),
    given: (env) => (kind.mask ?? String)(env[variable] ?? ""),
  };
}
