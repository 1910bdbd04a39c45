import type { Price, Prices } from "../usage/prices.ts";
import { InvalidValue, type Kind } from "./setting.ts";

const units = ["input", "output", "minute"] as const;

/** What models cost, as a JSON object. */
export const modelPrices: Kind<Prices> = {
  label:
    'a JSON object of names to prices: {"MODEL": {"input": DOLLARS, "output": DOLLARS, "minute": DOLLARS}}',
  plain: (prices) => JSON.stringify(prices),
  parse(text) {
    const given = parseObject(text);
    if (given === undefined) throw new InvalidValue("must be a JSON object of model names to prices");
    return Object.fromEntries(Object.entries(given).map(([model, price]) => [model, toPrice(model, price)]));
  },
};

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function toPrice(model: string, given: unknown): Price {
  const wrong = new InvalidValue(
    `has a price of ${model} that is not an object of ${units.join(", ")} with numbers, 0 or more`,
  );
  if (typeof given !== "object" || given === null || Array.isArray(given)) throw wrong;
  const price: { [unit in (typeof units)[number]]?: number } = {};
  for (const [name, amount] of Object.entries(given)) {
    const unit = units.find((known) => known === name);
    if (unit === undefined || typeof amount !== "number" || !(amount >= 0)) throw wrong;
    price[unit] = amount;
  }
  return price;
}
