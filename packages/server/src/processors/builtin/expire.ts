import { type Attachment, formatDate, parseDate, type Vcon } from "@vconductor/vcon";
import { Type } from "typebox";
import { VconductorError } from "../../errors.ts";
import { choice } from "../choice.ts";
import { defineProcessor } from "../define.ts";
import { isRetention, retentionDate, retentionPurpose } from "../retention.ts";

const DAY_MS = 86_400_000;

export const expire = defineProcessor({
  name: "expire",
  title: "Set a retention date",
  description:
    "Says until when the vCon is to be kept: an attachment of purpose retention with delete_after, basis and reason. An " +
    "earlier date that is there already stays, unless extend is set. It goes with the vCon wherever that goes; who keeps " +
    "the vCon deletes it then: the server itself deletes nothing.",
  version: "1.0.0",
  options: Type.Object({
    days: Type.Number({
      title: "days",
      description: "Days to keep it, from the moment that from names. Needed unless at is given.",
      minimum: 0,
      maximum: 100_000,
      default: 0,
    }),
    from: choice(["created_at", "last_dialog", "now"], {
      title: "from",
      description: "When the days begin: at created_at, at the start of the last dialog, or now.",
      default: "created_at",
    }),
    at: Type.String({ title: "at", description: "A date and time (RFC 3339) instead of days.", default: "" }),
    reason: Type.String({ title: "reason", description: "Why it is deleted then, for people.", default: "" }),
    extend: Type.Boolean({
      title: "extend?",
      description: "Whether an earlier date may be put off.",
      default: false,
    }),
    set_parameter: Type.String({
      title: "parameter",
      description: "Gets the date that holds in the end. Empty: none.",
      default: "",
    }),
  }),
  example: {
    about: "Keeps the conversation for 90 days after it was last spoken.",
    options: { days: 90, from: "last_dialog", reason: "our retention policy" },
  },
  process(io, options) {
    const vcon = io.peekVcon(options.input_vcon_index);
    const wanted = wantedDate(vcon, options);
    const known = retentionDate(vcon)?.getTime();
    const holds = known !== undefined && !options.extend ? Math.min(known, wanted) : wanted;
    if (holds !== known) io.update(withDate(vcon, { date: holds, ...options }));
    if (options.set_parameter !== "") io.parameters.set(options.set_parameter, formatDate(holds));
    return io;
  },
});

interface Wanted {
  readonly days: number;
  readonly from: "created_at" | "last_dialog" | "now";
  readonly at: string;
}

/** @throws invalid_options neither days nor a date @throws invalid_vcon it has no date to begin at */
function wantedDate(vcon: Vcon, { days, from, at }: Wanted): number {
  if (at !== "") {
    const date = parseDate(at);
    if (date !== undefined) return date;
    throw new VconductorError(
      "invalid_options",
      `at: ${at} is not a date and time such as 2027-01-31T00:00:00Z`,
    );
  }
  if (days <= 0) throw new VconductorError("invalid_options", "expire needs days (more than 0) or at");
  const begin = beginOf(vcon, from);
  if (begin !== undefined) return begin + days * DAY_MS;
  throw new VconductorError("invalid_vcon", `expire: vCon ${vcon.uuid} has no date to count from (${from})`);
}

function beginOf(vcon: Vcon, from: Wanted["from"]): number | undefined {
  if (from === "now") return Date.now();
  const created = parseDate(vcon.created_at);
  if (from === "created_at") return created;
  const starts = (vcon.dialog ?? []).flatMap(({ start }) => parseDate(start) ?? []);
  return starts.length === 0 ? created : Math.max(...starts);
}

function withDate(
  vcon: Vcon,
  { date, from, at, reason }: Wanted & { readonly date: number; readonly reason: string },
): Vcon {
  const attachment: Attachment = {
    purpose: retentionPurpose,
    start: formatDate(Date.now()),
    // It is about the whole. The draft wants every attachment to name a party and a dialog all the same.
    ...(vcon.parties?.length ? { party: 0 } : {}),
    ...(vcon.dialog?.length ? { dialog: 0 } : {}),
    mediatype: "application/json",
    encoding: "json",
    body: {
      delete_after: formatDate(date),
      basis: at === "" ? from : "date",
      ...(reason === "" ? {} : { reason }),
    },
  };
  const others = (vcon.attachments ?? []).filter((entry) => !isRetention(entry));
  return { ...vcon, attachments: [...others, attachment] };
}
