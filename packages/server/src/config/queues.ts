import { splitList } from "./kinds.ts";
import { InvalidValue, type Kind } from "./setting.ts";

/** A queue that a server tends. In one cycle it takes up to `weight` jobs; 0 tends it never. */
export interface WeightedQueue {
  readonly name: string;
  readonly weight: number;
}

// Queue names may hold a colon elsewhere; here it stands before the weight.
const queueName = /^[^/:\p{Cc}]{1,200}$/u;

/** `name[:weight],…`; a missing weight is 1. */
export const weightedQueues: Kind<readonly WeightedQueue[]> = {
  label: "a list of name or name:weight, separated by commas",
  plain: (queues) => Object.fromEntries(queues.map(({ name, weight }) => [name, { weight }])),
  parse(text) {
    const queues = splitList(text).map(parseQueue);
    const names = queues.map((queue) => queue.name);
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) throw new InvalidValue(`names the queue "${twice}" twice`);
    return queues;
  },
};

function parseQueue(item: string): WeightedQueue {
  const [name = "", weight = "", ...more] = item.split(":").map((part) => part.trim());
  if (more.length > 0)
    throw new InvalidValue(`has more than one colon in "${item}"; write name or name:weight`);
  if (!queueName.test(name)) {
    throw new InvalidValue(
      `has no valid queue name in "${item}"; a name has 1 to 200 characters, none of them a slash or control character`,
    );
  }
  const value = weight === "" ? 1 : Number(weight);
  if (!/^\d*$/.test(weight) || !Number.isSafeInteger(value)) {
    throw new InvalidValue(`has the weight "${weight}" for "${name}"; a weight is an integer, 0 or more`);
  }
  return { name, weight: value };
}
