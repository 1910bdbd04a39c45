/** JSON that is already text: passes through to jq without being parsed or serialised again. */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}
