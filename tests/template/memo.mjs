// Values that are made when they are asked for, once.

import { ExpressionError } from "./expression.mjs";

/** The value of a member that is made when it is asked for, once. */
export function memo(object, key, make) {
  object.memos ??= new Map();
  return memoIn(object.memos, key, `${object.pointer} (${key})`, make);
}

/** Stands for a value that is being made: who finds it needs itself. */
const UNDER_WAY = Symbol("under way");

/** The same in a map of values. */
export function memoIn(values, key, what, make) {
  if (values.get(key) === UNDER_WAY) {
    throw new ExpressionError(`needs itself by way of ${what}`);
  }
  if (!values.has(key)) {
    values.set(key, UNDER_WAY);
    try {
      values.set(key, make());
    } catch (error) {
      values.delete(key);
      throw error;
    }
  }
  return values.get(key);
}
