import maskNumbers from "./mask-numbers.ts";
import setSubject from "./set-subject.js";

// What the server loads: a processor, or a list of them.
export default [maskNumbers, setSubject];
