import { isObject, member, stringMember } from "../document/json.ts";
import { memberTypes, string, stringsByName } from "./member-types.ts";
import { eachString, extensionMembers, removedMembers } from "./member-values.ts";
import { DID, MAIL, PASSPORT, POSITION, TEL, URI } from "./patterns.ts";
import { about, must, oneOf, type Rule, should, shown } from "./rule.ts";

const TYPES = ["person", "bot", "organization"];
const ANONYMOUS = "anonymous";
const ADDRESS = "country a1 a2 a3 a4 a5 a6 prd pod sts hno hns lmk loc flr nam pc".split(" ");
const MAX_POSITION = 100;

/** The Party Object. All of it is optional: an empty one holds the place of somebody. */
export const partyRules: readonly Rule[] = [
  ...memberTypes(
    {
      tel: string,
      sip: string,
      mailto: string,
      name: string,
      did: string,
      uuid: string,
      stir: string,
      validation: string,
      gmlpos: string,
      role: string,
      contact_list: string,
    },
    { type: string, org: string, dept: string, civicaddress: stringsByName },
  ),
  format("tel", TEL, "is no telephone number such as +15550100 (no spaces)"),
  format("sip", URI, "is no SIP address such as sip:ann@example.com"),
  format("mailto", MAIL, "is no e-mail address such as ann@example.com"),
  format("stir", PASSPORT, "is no PASSporT in the compact form of JWS: three parts with dots between"),
  must(
    "did",
    eachString(["did"], (_name, value, report) => {
      if (!DID.test(value))
        report(["did"], `did ${shown(value)} is no DID such as did:web:example.com`, value);
    }),
  ),
  should(
    "gmlpos",
    eachString(["gmlpos"], (_name, value, report) => {
      if (value.length <= MAX_POSITION && isPosition(value.trim())) return;
      report(
        ["gmlpos"],
        `gmlpos ${shown(value)} is no "latitude longitude" in degrees, such as "48.2082 16.3738"`,
        value,
      );
    }),
  ),
  should(
    "validation-missing",
    about(["name"], ({ object }, report) => {
      const name = stringMember(object, "name");
      if (!name || name === ANONYMOUS || member(object, "validation") !== undefined) return;
      report(["validation"], 'validation should say how the name was checked; "none" if it was not');
    }),
  ),
  should(
    "party-type",
    eachString(["type"], (_name, value, report) => {
      if (!TYPES.includes(value)) report(["type"], `type ${shown(value)} should be ${oneOf(TYPES)}`, value);
    }),
  ),
  must(
    "civicaddress-case",
    about(["civicaddress"], ({ object }, report) => {
      const address = member(object, "civicaddress");
      if (!isObject(address)) return;
      for (const name of Object.keys(address)) {
        const lower = name.toLowerCase();
        if (name === lower || !ADDRESS.includes(lower)) continue;
        report(["civicaddress", name], `the parts of civicaddress have lower-case names; write ${lower}`);
      }
    }),
  ),
  extensionMembers("role", "contact_list"),
  removedMembers({
    jCard: "put its parts into name, tel, mailto, org and dept",
    timezone: "leave it out",
  }),
];

function format(name: "tel" | "sip" | "mailto" | "stir", pattern: RegExp, problem: string): Rule {
  return should(
    name,
    eachString([name], (_name, value, report) => {
      if (!pattern.test(value)) report([name], `${name} ${shown(value)} ${problem}`, value);
    }),
  );
}

function isPosition(text: string): boolean {
  const [, latitude, longitude] = POSITION.exec(text) ?? [];
  return Math.abs(Number(latitude)) <= 90 && Math.abs(Number(longitude)) <= 180;
}
