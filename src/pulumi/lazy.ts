/**
 * Defines a property that is made when it is read for the first time. Unlike a getter of a class, it is one of the
 * object's own properties: the SDK sends those, where the object is part of an output.
 */
export function defineLazy<Owner extends object, Name extends keyof Owner & string>(
  owner: Owner,
  name: Name,
  make: () => Owner[Name],
): void {
  let made: { readonly value: Owner[Name] } | undefined;
  const get = (): Owner[Name] => {
    made ??= { value: make() };
    return made.value;
  };
  Object.defineProperty(owner, name, { enumerable: true, get });
}
