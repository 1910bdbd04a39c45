import { type Attachment, parseDate, type Vcon } from "@vconductor/vcon";
import { isJsonObject } from "./json.ts";

/** The purpose of the attachment that says until when a vCon is kept. */
export const retentionPurpose = "retention";

/** Whether an attachment says until when the vCon is kept, as `expire` writes it. */
export function isRetention({ purpose, body }: Attachment): boolean {
  return purpose === retentionPurpose && isJsonObject(body) && parseDate(body.delete_after) !== undefined;
}

/** When the vCon is to be deleted; undefined where nothing says so. The earliest date counts. */
export function retentionDate(vcon: Vcon): Date | undefined {
  const dates = (vcon.attachments ?? []).filter(isRetention).flatMap(({ body }) => {
    const date = isJsonObject(body) ? parseDate(body.delete_after) : undefined;
    return date === undefined ? [] : [date];
  });
  return dates.length === 0 ? undefined : new Date(Math.min(...dates));
}
