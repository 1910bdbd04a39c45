import { type TUnsafe, Type } from "typebox";

/** An option that is one of a few words: as `Type.Enum`, with the type that forms and older clients look for. */
export function choice<const Word extends string>(
  words: readonly Word[],
  about: { readonly title: string; readonly description: string; readonly default?: Word },
): TUnsafe<Word> {
  return Type.Unsafe<Word>({ type: "string", enum: [...words], ...about });
}
