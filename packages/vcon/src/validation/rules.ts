import { analysisRules } from "./analysis.ts";
import { attachmentRules } from "./attachment.ts";
import { contentTypes, externalRules } from "./content.ts";
import { contentHashRules } from "./content-hash.ts";
import { dialogRules } from "./dialog.ts";
import { encryptedRules, recipientRules } from "./encrypted.ts";
import { memberTypes } from "./member-types.ts";
import { partyRules } from "./party.ts";
import { partyHistoryRules } from "./party-history.ts";
import { essential, type Rule } from "./rule.ts";
import { signatureRules, signedRules } from "./signed.ts";
import { amendedRules, redactedRules, referenceRules, topLevelRules } from "./top-level.ts";

const external: readonly Rule[] = [
  ...memberTypes({}, { url: contentTypes.url, content_hash: contentTypes.content_hash }),
  ...externalRules,
  ...contentHashRules,
];

/** For what is none of the three forms. */
const formRule: Rule = essential("form", (_subject, report) => {
  report(
    [],
    "this is no vCon: it has none of parties, dialog, analysis, attachments (unsigned), payload and signatures (signed), ciphertext and recipients (encrypted)",
  );
});

/** The rules, by the kind of object that they are about. */
export const ruleTables = {
  "vCon Object": topLevelRules,
  "Redacted Object": [...referenceRules, ...redactedRules, ...external],
  "Amended Object": [...referenceRules, ...amendedRules, ...external],
  "Party Object": partyRules,
  "Dialog Object": dialogRules,
  "Party History Object": partyHistoryRules,
  "Analysis Object": analysisRules,
  "Attachment Object": attachmentRules,
  "Signed Form": signedRules,
  "Signed Form / signatures": signatureRules,
  "Encrypted Form": encryptedRules,
  "Encrypted Form / recipients": recipientRules,
  "The Three Forms": [formRule],
} as const satisfies Readonly<Record<string, readonly Rule[]>>;
