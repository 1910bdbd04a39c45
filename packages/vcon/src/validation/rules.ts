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
import { RuleTable } from "./rule-table.ts";
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
  "vCon Object": new RuleTable(topLevelRules),
  "Redacted Object": new RuleTable([...referenceRules, ...redactedRules, ...external]),
  "Amended Object": new RuleTable([...referenceRules, ...amendedRules, ...external]),
  "Party Object": new RuleTable(partyRules),
  "Dialog Object": new RuleTable(dialogRules),
  "Party History Object": new RuleTable(partyHistoryRules),
  "Analysis Object": new RuleTable(analysisRules),
  "Attachment Object": new RuleTable(attachmentRules),
  "Signed Form": new RuleTable(signedRules),
  "Signed Form / signatures": new RuleTable(signatureRules),
  "Encrypted Form": new RuleTable(encryptedRules),
  "Encrypted Form / recipients": new RuleTable(recipientRules),
  "The Three Forms": new RuleTable([formRule]),
} as const satisfies Readonly<Record<string, RuleTable>>;
