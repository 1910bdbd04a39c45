/** What stands in the way, in words for whoever started the demo. It is printed as it is, without a stack trace. */
export class Trouble extends Error {
  override readonly name = "Trouble";
}
