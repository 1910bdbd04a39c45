import { encodeBase64url } from "../document/base64url.ts";
import { contentHash, type HashAlgorithm } from "../document/content.ts";
import { writeDate } from "../document/dates.ts";
import { VconError } from "../document/errors.ts";
import { isArray, member, objectsMember } from "../document/json.ts";
import { fromContent, type UnsignedDocument } from "../document/states.ts";
import { addTags } from "../document/tags.ts";
import type { Dialog, JsonObject, JsonValue, Party, Vcon } from "../document/types.ts";
import { newUuid } from "../document/uuid.ts";
import { mediatypeOf, recordingInfo } from "../media/recording.ts";
import { validate } from "../validation/validate.ts";
import { type DialogOptions, dateOf, type Moment, membersOf } from "./dialog-options.ts";

export interface CreateOptions {
  /** For the uuid: the name of your host or organisation, for example "support.example.com". */
  readonly domain: string;
  /** Default: a new one */
  readonly uuid?: string;
  readonly subject?: string;
  /** Default: now */
  readonly created_at?: Moment;
}

/** Inline content: bytes become base64url, text stays text, anything else is JSON. */
export type Body = Uint8Array | string | JsonValue;

export interface InlineRecording extends DialogOptions {
  readonly body: Uint8Array;
  /** Default: by the file name, else by what is in the file */
  readonly mediatype?: string;
}

export interface ExternalRecording extends DialogOptions {
  /** https */
  readonly url: string;
  /** The file that the url gives: it is hashed and measured, and not kept. */
  readonly body: Uint8Array;
  readonly mediatype?: string;
  /** Default: sha512 */
  readonly hash?: HashAlgorithm;
}

export interface TransferOptions {
  /** Indices of parties. */
  readonly transferee: number;
  readonly transferor: number;
  readonly transfer_target?: number;
  /** Indices of dialogs. */
  readonly original?: number;
  readonly consultation?: number;
  readonly target_dialog?: number;
  readonly start?: Moment;
}

export type Disposition = "no-answer" | "congestion" | "failed" | "busy" | "hung-up" | "voicemail-no-message";

export interface AnalysisOptions {
  /** For example "summary", "transcript", "sentiment". */
  readonly type: string;
  readonly vendor: string;
  readonly product?: string;
  readonly schema?: string;
  /** Indices of what it is about. */
  readonly dialog?: number | readonly number[];
  readonly attachment?: number | readonly number[];
  readonly mediatype?: string;
  readonly filename?: string;
  readonly body: Body;
}

export interface AttachmentOptions {
  readonly purpose?: string;
  /** Default: now */
  readonly start?: Moment;
  /** Indices: who added it, and to what. */
  readonly party: number;
  readonly dialog: number;
  /** Default: by the file name, else by the body */
  readonly mediatype?: string;
  readonly filename?: string;
  readonly body: Body;
}

/**
 * Builds a vCon step by step. Every method that adds gives back the index of what it added; an index that points
 * nowhere is refused at once (VconError invalid_option). `build` checks the whole.
 */
export class VconBuilder {
  #vcon: Vcon;
  /** Where `addTags` has put an attachment of its own. */
  #newTags: number | undefined;

  /** To go on with a vCon that is there. It is not touched. */
  constructor(vcon: Vcon) {
    this.#vcon = vcon;
  }

  static async create({ domain, uuid, subject, created_at }: CreateOptions): Promise<VconBuilder> {
    return new VconBuilder({
      vcon: "0.4.0",
      uuid: uuid ?? (await newUuid({ domain })),
      created_at: created_at === undefined ? writeDate(Date.now()) : dateOf(created_at, "created_at"),
      ...(subject === undefined ? {} : { subject }),
      parties: [],
      dialog: [],
      analysis: [],
      attachments: [],
    });
  }

  get uuid(): string {
    return this.#vcon.uuid;
  }

  /* The whole */

  setSubject(subject: string): this {
    return this.#set({ subject });
  }

  setUpdatedAt(moment: Moment = Date.now()): this {
    return this.#set({ updated_at: dateOf(moment, "updated_at") });
  }

  /** Says that an extension is used. @param critical who does not know it must not process the vCon. Default: false */
  addExtension(name: string, { critical = false }: { readonly critical?: boolean } = {}): this {
    const added = (list: JsonValue | undefined) => [...new Set([...(isArray(list) ? list : []), name])];
    this.#set({ extensions: added(this.#vcon.extensions) });
    return critical ? this.#set({ critical: added(this.#vcon.critical) }) : this;
  }

  /** Adds tags, usually `key:value`, in the attachment where they are kept. */
  addTags(...tags: readonly string[]): this {
    const count = this.#vcon.attachments?.length ?? 0;
    this.#vcon = addTags(this.#vcon, tags);
    if (this.#vcon.attachments?.[count] !== undefined) this.#newTags = count;
    return this;
  }

  /** Goes on with another state of the vCon, for example what `addImported` made of `current`. */
  replace(vcon: Vcon): this {
    this.#vcon = vcon;
    this.#newTags = undefined;
    return this;
  }

  /* Parties */

  addParty(party: Party): number {
    return this.#append("parties", membersOf(party));
  }

  /** Sets or, with null, removes members of a party. */
  updateParty(index: number, changes: Party): this {
    return this.#change("parties", index, membersOf(changes));
  }

  /** Indices of the parties whose member has exactly this value. */
  findParties(member: string, value: string): readonly number[] {
    const parties = this.#vcon.parties ?? [];
    return [...parties.keys()].filter((index) => parties[index]?.[member] === value);
  }

  /* Dialogs */

  /** A chat message, e-mail or other text. @param options.mediatype Default: "text/plain" */
  addText({
    text,
    mediatype = "text/plain",
    ...options
  }: DialogOptions & { readonly text: string; readonly mediatype?: string }): number {
    return this.#addDialog("text", options, { mediatype, body: text, encoding: "none" });
  }

  /** A recording inside the vCon. Its duration is read from the file where it is not given. */
  async addRecording({ body, mediatype, ...options }: InlineRecording): Promise<number> {
    const measured = await measure(body, { mediatype, options });
    return this.#addDialog(
      "recording",
      { ...options, ...measured },
      { body: encodeBase64url(body), encoding: "base64url" },
    );
  }

  /** A recording that stays where it is: the vCon has its address, hash and duration. */
  async addExternalRecording({ body, mediatype, url, hash, ...options }: ExternalRecording): Promise<number> {
    if (!/^https:\/\/[^/]/i.test(url)) {
      throw new VconError("invalid_option", `url: ${url} is no https URL, and vCons take no other.`);
    }
    const content_hash = await contentHash(body, hash);
    return this.#addDialog(
      "recording",
      { ...options, ...(await measure(body, { mediatype, options })) },
      { url, content_hash },
    );
  }

  /** A call that did not come about. */
  addIncomplete({ disposition, ...options }: DialogOptions & { readonly disposition: Disposition }): number {
    return this.#addDialog("incomplete", options, { disposition });
  }

  addTransfer({ start, ...roles }: TransferOptions): number {
    return this.#addDialog("transfer", { start, ...roles }, {});
  }

  /** Recordings that belong together, for example one per party. Each of them will name the set. */
  addRecordingSet({
    recordings,
    ...options
  }: DialogOptions & { readonly recordings: readonly number[] }): number {
    for (const index of recordings) this.#check("dialog", index, "recordings");
    const set = this.#addDialog("recording-set", options, { recordings });
    for (const index of recordings) this.#change("dialog", index, { recording_set: set });
    return set;
  }

  /** Sets or, with null, removes members of a dialog. */
  updateDialog(index: number, changes: Dialog): this {
    const members = membersOf(changes);
    this.#checkDialog(members);
    return this.#change("dialog", index, members);
  }

  /* What was learned, and what was handed over */

  addAnalysis({ body, ...options }: AnalysisOptions): number {
    this.#checkAll("dialog", options.dialog, "dialog");
    this.#checkAll("attachments", options.attachment, "attachment");
    const { mediatype, ...content } = contentOf(body, options.filename);
    return this.#append("analysis", { mediatype, ...membersOf(options), ...content });
  }

  addAttachment({ body, start = Date.now(), ...options }: AttachmentOptions): number {
    this.#check("parties", options.party, "party");
    this.#check("dialog", options.dialog, "dialog");
    const { mediatype, ...content } = contentOf(body, options.filename);
    return this.#append("attachments", { mediatype, ...membersOf({ start, ...options }), ...content });
  }

  /* The result */

  /** The vCon as it stands, unchecked. */
  get current(): Vcon {
    return this.#vcon;
  }

  /** @throws VconError invalid_vcon it breaks a rule of the draft; `findings` lists them all */
  build(): UnsignedDocument {
    const findings = validate(this.#vcon).filter(({ severity }) => severity === "error");
    const [first] = findings;
    if (first !== undefined) {
      const more = findings.length > 1 ? ` (and ${findings.length - 1} more)` : "";
      throw new VconError("invalid_vcon", `${first.path.join(".")}: ${first.message}${more}`, { findings });
    }
    return fromContent(this.#vcon);
  }

  #addDialog(type: string, options: object, content: JsonObject): number {
    const members = membersOf(options);
    this.#checkDialog(members);
    return this.#append("dialog", { type, ...members, ...content });
  }

  #set(members: JsonObject): this {
    this.#vcon = { ...this.#vcon, ...members };
    return this;
  }

  #append(list: ListName, entry: JsonObject): number {
    const entries: readonly JsonObject[] = this.#vcon[list] ?? [];
    this.#set({ [list]: [...entries, entry] });
    if (list === "parties") this.#completeTags("party");
    if (list === "dialog") this.#completeTags("dialog");
    return entries.length;
  }

  /** Tags that came before the first party or dialog name it now, as `addTags` would have them do. */
  #completeTags(name: "party" | "dialog"): void {
    const tags = this.#newTags === undefined ? undefined : this.#vcon.attachments?.[this.#newTags];
    if (this.#newTags === undefined || tags === undefined || Object.hasOwn(tags, name)) return;
    this.#change("attachments", this.#newTags, { [name]: 0 });
  }

  #change(list: ListName, index: number, changes: JsonObject): this {
    this.#check(list, index, "index");
    const entries: readonly JsonObject[] = this.#vcon[list] ?? [];
    const merged = Object.entries({ ...entries[index], ...changes }).filter(([, value]) => value !== null);
    return this.#set({ [list]: entries.with(index, Object.fromEntries(merged)) });
  }

  #checkDialog(members: JsonObject): void {
    for (const name of namesOfParties) this.#checkReference("parties", member(members, name), name);
    for (const name of namesOfDialogs) this.#checkReference("dialog", member(members, name), name);
    for (const event of objectsMember(members, "party_history"))
      this.#check("parties", member(event, "party"), "party_history: party");
  }

  #checkReference(list: ListName, value: JsonValue | undefined, what: string): void {
    if (isArray(value)) for (const entry of value) this.#checkReference(list, entry, what);
    else if (value !== null) this.#check(list, value, what);
  }

  #checkAll(list: ListName, indices: number | readonly number[] | undefined, what: string): void {
    for (const index of typeof indices === "number" ? [indices] : (indices ?? []))
      this.#check(list, index, what);
  }

  #check(list: ListName, index: JsonValue | undefined, what: string): void {
    if (index === undefined) return;
    const count = (this.#vcon[list] ?? []).length;
    if (typeof index === "number" && Number.isInteger(index) && index >= 0 && index < count) return;
    const plural = list === "dialog" ? "dialogs" : list;
    const there = count === 0 ? `there are no ${plural} yet` : `there are ${plural} 0 to ${count - 1}`;
    const given = typeof index === "number" ? index : JSON.stringify(index);
    throw new VconError("invalid_option", `${what}: ${given} points nowhere; ${there}.`);
  }
}

/** What dialogs say in indices of parties, and of dialogs. */
const namesOfParties = ["parties", "originator", "transferee", "transferor", "transfer_target"];
const namesOfDialogs = ["recordings", "recording_set", "original", "consultation", "target_dialog"];

type ListName = "parties" | "dialog" | "analysis" | "attachments";

async function measure(
  body: Uint8Array,
  { mediatype, options }: { readonly mediatype: string | undefined; readonly options: DialogOptions },
): Promise<{ readonly mediatype: string; readonly duration?: number }> {
  const { filename, duration } = options;
  const info = await recordingInfo(body, {
    ...(filename === undefined ? {} : { filename }),
    ...(mediatype === undefined ? {} : { mediatype }),
  });
  if (info.mediatype === undefined) {
    throw new VconError(
      "invalid_option",
      "The kind of recording cannot be told from the file. Give its mediatype, for example audio/x-wav.",
    );
  }
  const length = duration ?? info.duration;
  return { mediatype: info.mediatype, ...(length === undefined ? {} : { duration: length }) };
}

function contentOf(
  body: Body,
  filename: string | undefined,
): { readonly mediatype: string; readonly body: JsonValue; readonly encoding: string } {
  const named = filename === undefined ? undefined : mediatypeOf(filename);
  if (body instanceof Uint8Array) {
    return {
      mediatype: named ?? "application/octet-stream",
      body: encodeBase64url(body),
      encoding: "base64url",
    };
  }
  if (typeof body === "string") return { mediatype: named ?? "text/plain", body, encoding: "none" };
  return { mediatype: named ?? "application/json", body, encoding: "json" };
}
