import { expect, it } from "vitest";
import { selectDialogs } from "../../src/processors/select-dialogs.ts";
import { thrown } from "./thrown.ts";

it.each([
  ["", [0, 1, 2, 3, 4]],
  [":", [0, 1, 2, 3, 4]],
  ["0:", [0, 1, 2, 3, 4]],
  ["2", [2]],
  ["9", []],
  ["-1", []],
  ["1:3", [1, 2]],
  ["-2:", [3, 4]],
  [":-3", [0, 1]],
  ["0:10:2", [0, 2, 4]],
  ["::-1", [4, 3, 2, 1, 0]],
  ["3:0:-2", [3, 1]],
  [" 1 : 2 ", [1]],
  [[], []],
  [
    [3, 1, 3],
    [3, 1],
  ],
])("%j of five dialogs means %j", (selector, indices) => {
  expect(selectDialogs(selector, 5)).toEqual(indices);
});

it.each([
  ["1:2:3:4", 'input_dialogs: "1:2:3:4" is not empty, "2", "1:3", "0:10:2" or a list of indices'],
  ["first", 'input_dialogs: "first" is not empty, "2", "1:3", "0:10:2" or a list of indices'],
  ["::0", "input_dialogs: the step of a slice cannot be 0"],
  [[5], "input_dialogs: there is no dialog 5; the dialogs are 0 to 4"],
  [[-1], "input_dialogs: there is no dialog -1; the dialogs are 0 to 4"],
])("%j is refused", (selector, message) => {
  const error = thrown(() => selectDialogs(selector, 5));
  expect(error).toMatchObject({ code: "invalid_options", message });
});
