import { VconError } from "../document/errors.ts";
import { equalJson, isArray, member, stringMember } from "../document/json.ts";
import { withoutMember } from "../document/json-edit.ts";
import { isPartyIndex } from "../document/parties.ts";
import type { Analysis, Attachment, Dialog, JsonObject, Party } from "../document/types.ts";
import type { Imported } from "./imported.ts";
import { isNobody, PartyBook } from "./party-match.ts";
import { type Move, moveAnalysis, moveAttachment, moveBy, moveDialog } from "./references.ts";

/** The four lists of a vCon. */
export interface Lists {
  readonly parties: readonly Party[];
  readonly dialogs: readonly Dialog[];
  readonly analyses: readonly Analysis[];
  readonly attachments: readonly Attachment[];
}

const nowhere = moveBy([]);

/**
 * Adds imports to lists, one after the other, each party and each message once. It keeps indexes of what is there, so
 * that a mailbox of many thousand messages takes time in proportion to its size.
 */
export class Merger {
  readonly #book: PartyBook;
  readonly #dialogs: Dialog[];
  readonly #analyses: OnceList;
  readonly #attachments: OnceList;
  readonly #byMessage = new Map<string, number>();
  /** Dialogs with content that were there before the import at hand, by when and what. */
  readonly #byContent = new Map<string, number[]>();

  constructor(lists: Lists) {
    this.#book = new PartyBook(lists.parties);
    this.#dialogs = [...lists.dialogs];
    this.#analyses = new OnceList(lists.analyses);
    this.#attachments = new OnceList(lists.attachments);
    for (const index of this.#dialogs.keys()) this.#remember(index);
  }

  get lists(): Lists {
    return {
      parties: this.#book.parties,
      dialogs: this.#dialogs,
      analyses: this.#analyses.entries,
      attachments: this.#attachments.entries,
    };
  }

  /** @throws VconError invalid_option `onto` points to no dialog */
  add(imported: Imported): void {
    this.#checkOnto(imported.onto);
    this.#book.settle();
    const party = this.#placeParties(imported);
    const { places, added, repeated } = this.#placeDialogs(imported, party);
    const dialog = moveBy(places);
    // Only now is it known where every dialog went, and they may point to one another.
    for (const [index, entry] of added) {
      this.#dialogs[index] = moveDialog(entry, { party, dialog, attachment: nowhere });
      this.#remember(index);
    }
    const attachments = imported.attachments.map((entry) =>
      this.#attachments.add(moveAttachment(entry, { party, dialog, attachment: nowhere }), repeated),
    );
    const moves = { party, dialog, attachment: moveBy(attachments) };
    for (const entry of imported.analyses) this.#analyses.add(moveAnalysis(entry, moves), repeated);
  }

  #checkOnto(onto: number | undefined): void {
    if (onto === undefined || (isPartyIndex(onto) && onto < this.#dialogs.length)) return;
    const there = this.#dialogs.length === 0 ? "it has none" : `it has 0 to ${this.#dialogs.length - 1}`;
    throw new VconError("invalid_option", `The vCon has no dialog ${onto}; ${there}.`);
  }

  #placeParties(imported: Imported): Move {
    const strangers = new Map<number, number>();
    for (const [index, dialog] of imported.dialogs.entries()) {
      const twin = this.#dialogs[this.#standsFor(imported, index, dialog) ?? -1];
      if (twin !== undefined) this.#meet(strangers, { imported, dialog, twin });
    }
    return moveBy(imported.parties.map((entry, index) => strangers.get(index) ?? this.#book.place(entry)));
  }

  /** A party without name and address can be known again only by its place in a message that is known. */
  #meet(
    strangers: Map<number, number>,
    {
      imported,
      dialog,
      twin,
    }: { readonly imported: Imported; readonly dialog: Dialog; readonly twin: Dialog },
  ): void {
    const [ours, theirs] = [dialog.parties, twin.parties];
    if (!isArray(ours) || !isArray(theirs) || ours.length !== theirs.length) return;
    for (const [place, index] of ours.entries()) {
      const there = theirs[place];
      if (typeof index !== "number" || typeof there !== "number") continue;
      const [party, known] = [imported.parties[index], this.#book.parties[there]];
      if (party !== undefined && known !== undefined && isNobody(party) && isNobody(known))
        strangers.set(index, there);
    }
  }

  /** The dialog that is there already for one of an import, as far as that can be told without its parties. */
  #standsFor(imported: Imported, index: number, dialog: Dialog): number | undefined {
    if (index === 0 && imported.onto !== undefined) return imported.onto;
    const id = messageId(dialog);
    return id === undefined ? undefined : this.#byMessage.get(id);
  }

  #placeDialogs(imported: Imported, party: Move) {
    const added: (readonly [number, Dialog])[] = [];
    const repeated = new Set<number>();
    const free = new Map<string, number[]>();
    const places = imported.dialogs.map((dialog, index) => {
      const known =
        this.#standsFor(imported, index, dialog) ??
        this.#sameContent(moveDialog(dialog, { party, dialog: nowhere, attachment: nowhere }), free);
      if (known !== undefined) {
        repeated.add(known);
        return known;
      }
      const place = this.#dialogs.push(dialog) - 1;
      const id = messageId(dialog);
      if (id !== undefined) this.#byMessage.set(id, place);
      added.push([place, dialog]);
      return place;
    });
    return { places, added, repeated };
  }

  /** Each dialog that is there answers for one of the import, so that two equal messages stay two. */
  #sameContent(dialog: Dialog, free: Map<string, number[]>): number | undefined {
    const key = contentKey(dialog);
    const there = key === undefined ? undefined : this.#byContent.get(key);
    if (key === undefined || there === undefined) return undefined;
    const left = free.get(key) ?? [...there];
    free.set(key, left);
    const place = left.findIndex((index) => equalJson(this.#dialogs[index], dialog));
    return place < 0 ? undefined : left.splice(place, 1)[0];
  }

  #remember(index: number): void {
    const dialog = this.#dialogs[index] ?? {};
    const id = messageId(dialog);
    if (id !== undefined && !this.#byMessage.has(id)) this.#byMessage.set(id, index);
    const key = contentKey(dialog);
    if (key !== undefined) enter(this.#byContent, key, index);
  }
}

/** A list of analyses or attachments that does not take the same thing of the same dialog twice. */
class OnceList {
  readonly #entries: JsonObject[];
  readonly #byDialog = new Map<string, number[]>();

  constructor(entries: readonly JsonObject[]) {
    this.#entries = [...entries];
    for (const [index, entry] of entries.entries()) enter(this.#byDialog, dialogKey(entry), index);
  }

  get entries(): readonly JsonObject[] {
    return this.#entries;
  }

  /** The entry's index. @param repeated dialogs that were there before: of these alone it may be there too */
  add(entry: JsonObject, repeated: ReadonlySet<number>): number {
    const key = dialogKey(entry);
    if (dialogsOf(entry).some((index) => repeated.has(index))) {
      // When it was handed over may be known only as "when it was imported".
      const bare = withoutMember(entry, "start");
      const same = this.#byDialog
        .get(key)
        ?.find((index) => equalJson(withoutMember(this.#entries[index] ?? {}, "start"), bare));
      if (same !== undefined) return same;
    }
    const index = this.#entries.push(entry) - 1;
    enter(this.#byDialog, key, index);
    return index;
  }
}

function dialogsOf(entry: JsonObject): readonly number[] {
  const given = member(entry, "dialog");
  return (isArray(given) ? given : [given]).filter((index) => typeof index === "number");
}

/** Of equal things the same; it keeps apart most of those that a message with many files has. */
function dialogKey(entry: JsonObject): string {
  const body = stringMember(entry, "body") ?? "";
  const name = stringMember(entry, "filename") ?? "";
  return `${dialogsOf(entry).join()} ${name} ${body.length} ${body.slice(0, 100)}`;
}

function enter(index: Map<string, number[]>, key: string, value: number): void {
  const list = index.get(key);
  if (list === undefined) index.set(key, [value]);
  else list.push(value);
}

/** Message-IDs are compared without their brackets, which some programs leave out. */
function messageId(dialog: Dialog): string | undefined {
  const id = stringMember(dialog, "message_id")?.trim().replace(/^<|>$/g, "");
  return id === "" ? undefined : id;
}

function contentKey(dialog: Dialog): string | undefined {
  if (messageId(dialog) !== undefined) return undefined;
  const [start, body] = [stringMember(dialog, "start"), stringMember(dialog, "body")];
  return start === undefined || !body ? undefined : `${start} ${body.length} ${body.slice(0, 100)}`;
}
