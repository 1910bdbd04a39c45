/** Conversations from the files of other programs. */
export { addImported } from "./importing/add-imported.ts";
export { type ChatFormat, type ChatOptions, importChat } from "./importing/chat-export.ts";
export { type EmailOptions, importEmail, importEmails } from "./importing/email.ts";
export { type ImportFile, importFile } from "./importing/import-file.ts";
export type { Imported } from "./importing/imported.ts";
export { importMbox } from "./importing/mbox.ts";
export { importMeet, type MeetFiles } from "./importing/meet.ts";
export type { NamedFile } from "./importing/recording-file.ts";
export { importSiprec } from "./importing/siprec.ts";
export { importSubtitles, type SubtitleOptions } from "./importing/subtitles.ts";
export type { TranscribedOptions } from "./importing/transcribed.ts";
export { importWtf } from "./importing/wtf.ts";
export { importZoom, type ZoomOptions } from "./importing/zoom.ts";
