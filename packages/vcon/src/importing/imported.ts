import type { Analysis, Attachment, Dialog, Party } from "../document/types.ts";

/**
 * What an importer found in a file: plain data in the newest version of the format. Every index in it points into its
 * own lists, so that it can be added to any vCon (see `addImported`) or be the start of a new one.
 */
export interface Imported {
  readonly subject?: string;
  /** When the conversation began, in milliseconds since 1970: a good `created_at` for a vCon made of this alone. */
  readonly createdAt?: number;
  readonly parties: readonly Party[];
  readonly dialogs: readonly Dialog[];
  readonly analyses: readonly Analysis[];
  readonly attachments: readonly Attachment[];
  /** Extensions of the format that the data uses. */
  readonly extensions?: readonly string[];
  /**
   * The index, in the vCon to which this is added, of a dialog that is there already and of which `dialogs[0]` here is
   * but a stand-in: what points to dialog 0 will point to it, and the stand-in is not added.
   */
  readonly onto?: number;
}
