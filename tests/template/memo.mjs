// Values that are computed once, on first use.

import { ExpressionError } from "./expression.mjs";

/** The value of a member, computed once on first use. */
export function memo(object, key, make) {
  object.memos ??= new Map();
  return memoIn(object.memos, key, `${object.pointer} (${key})`, make);
}

/** Marks a value that is being computed. Reading it means a circular dependency. */
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
