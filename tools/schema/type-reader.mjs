import ts from "typescript";

/** @typedef {Record<string, unknown>} Spec a type or a property in Pulumi's schema language */
/** @typedef {{ name: string, isRequired: boolean, isPlain: boolean, spec: Spec }} Property */

/** The names of numbers that may be fractions. All other numbers are integers. */
const fractionalNames = new Set(["afterSeconds", "percent", "seconds"]);

/**
 * Types with another name in their token. That of `WaveArgs` would be the same as that of a resource's arguments, and
 * `CarrierInput` is in an output what `TokenArgs` is in an input.
 */
const otherNames = new Map([
  ["WaveArgs", "RolloutWave"],
  ["CarrierInput", "Token"],
]);

/** Properties that each resource inherits from Pulumi's own classes. */
const inheritedNames = new Set(["urn", "id"]);

/** Reads TypeScript types from the checker, and collects the object types that they use. */
export class TypeReader {
  /** Object types by token. @type {Map<string, { description: string, properties: readonly Property[] }>} */
  types = new Map();
  #checker;
  #secretNames;
  /** Which declaration a token stands for. @type {Map<string, ts.Symbol>} */
  #symbols = new Map();

  /**
   * @param {ts.TypeChecker} checker
   * @param {readonly string[]} secretNames names of properties that are secret wherever they stand
   */
  constructor(checker, secretNames) {
    this.#checker = checker;
    this.#secretNames = new Set(secretNames);
  }

  /**
   * Reads an interface's properties. Of a class it reads only those that are outputs.
   * @param {ts.Type} type
   * @returns {readonly Property[]}
   */
  readProperties(type) {
    const isClass = (type.symbol.flags & ts.SymbolFlags.Class) !== 0;
    const symbols = this.#checker.getPropertiesOfType(type).filter((symbol) => {
      if (symbol.valueDeclaration && ts.getCombinedModifierFlags(symbol.valueDeclaration) & hidden)
        return false;
      const isOutput = this.#isOutput(this.#checker.getTypeOfSymbol(symbol));
      return !inheritedNames.has(symbol.name) && !symbol.name.startsWith("#") && (!isClass || isOutput);
    });
    return symbols.map((symbol) => this.#readProperty(symbol, `${type.symbol.name}.${symbol.name}`));
  }

  /**
   * Tells whether a class's property is an output, or a map of objects that consist of outputs.
   * @param {ts.Type} type
   * @returns {boolean}
   */
  #isOutput(type) {
    const index = this.#checker.getIndexTypeOfType(type, ts.IndexKind.String);
    return type.aliasSymbol?.name === "Output" || index?.isClass() === true;
  }

  /**
   * @param {ts.Symbol} symbol
   * @param {string} place for messages
   * @returns {Property}
   */
  #readProperty(symbol, place) {
    const { name } = symbol;
    const { isPlain, spec } = this.#readType(this.#checker.getTypeOfSymbol(symbol), name, place);
    const description = this.describe(symbol, place);
    const isRequired = (symbol.flags & ts.SymbolFlags.Optional) === 0 && !this.#mayLack(symbol);
    const secret = this.#secretNames.has(name) ? { secret: true } : {};
    return { name, isRequired, isPlain, spec: { ...spec, description, ...secret } };
  }

  /**
   * Tells whether an output may be undefined.
   * @param {ts.Symbol} symbol
   */
  #mayLack(symbol) {
    const type = this.#checker.getTypeOfSymbol(symbol);
    const value = type.aliasSymbol?.name === "Output" ? type.aliasTypeArguments?.[0] : undefined;
    return value?.isUnion() === true && value.types.some((one) => one.flags & ts.TypeFlags.Undefined);
  }

  /**
   * @param {ts.Type} type
   * @param {string} name of the property that has it
   * @param {string} place
   * @returns {{ isPlain: boolean, spec: Spec }} plain: a bare value, neither an input nor an output
   */
  #readType(type, name, place) {
    if (type.aliasSymbol?.name === "Output") {
      const [value] = type.aliasTypeArguments ?? [];
      if (value === undefined) throw new Error(`schema: ${place} is an output of nothing`);
      return { isPlain: false, spec: this.#readType(value, name, place).spec };
    }
    const members = (type.isUnion() ? type.types : [type]).filter(
      (member) => !(member.flags & ts.TypeFlags.Undefined),
    );
    const [only] = members;
    if (members.length === 1 && only?.aliasSymbol?.name === "Output")
      return this.#readType(only, name, place);
    const isWrapper = (/** @type {ts.Type} */ member) =>
      ["Promise", "OutputInstance"].includes(member.symbol?.name ?? "");
    const values = members.filter((member) => !isWrapper(member));
    return { isPlain: !members.some(isWrapper), spec: this.#readValue(values, name, place) };
  }

  /**
   * @param {readonly ts.Type[]} values the members of the union
   * @param {string} name
   * @param {string} place
   * @returns {Spec}
   */
  #readValue(values, name, place) {
    const are = (/** @type {ts.TypeFlags} */ flags) =>
      values.length > 0 && values.every((value) => value.flags & flags);
    if (are(ts.TypeFlags.Unknown)) return { $ref: "pulumi.json#/Any" };
    if (are(ts.TypeFlags.StringLike)) return { type: "string" };
    if (are(ts.TypeFlags.BooleanLike)) return { type: "boolean" };
    if (are(ts.TypeFlags.NumberLike)) return { type: fractionalNames.has(name) ? "number" : "integer" };
    const [value] = values;
    if (values.length !== 1 || value === undefined) {
      throw new Error(`schema: ${place} is a union, which other languages do not have`);
    }
    if (this.#checker.isArrayType(value)) {
      const [item] = this.#checker.getTypeArguments(/** @type {ts.TypeReference} */ (value));
      if (item === undefined) throw new Error(`schema: ${place} is a list of nothing`);
      return { type: "array", items: this.#readType(item, name, `${place}[]`).spec };
    }
    const index = this.#checker.getIndexTypeOfType(value, ts.IndexKind.String);
    if (index !== undefined)
      return { type: "object", additionalProperties: this.#readType(index, name, `${place}[]`).spec };
    if (value.flags & ts.TypeFlags.Object) return { $ref: `#/types/${this.#nameType(value, place)}` };
    throw new Error(`schema: ${place} has a type that the schema has no word for`);
  }

  /**
   * @param {ts.Type} type
   * @param {string} place
   * @returns {string} its token
   */
  #nameType(type, place) {
    const symbol = type.aliasSymbol ?? type.symbol;
    const [whole] = type.aliasTypeArguments ?? [];
    if (symbol.name === "Partial" && whole !== undefined)
      return this.#gather(type, whole.symbol, place, "Partial");
    if (symbol.flags & (ts.SymbolFlags.Interface | ts.SymbolFlags.Class))
      return this.#gather(type, symbol, place);
    throw new Error(`schema: ${place} has a type without a name`);
  }

  /** @param {ts.Type} type @param {ts.Symbol} symbol @param {string} place @param {string} prefix @returns {string} */
  #gather(type, symbol, place, prefix = "") {
    // The generators add `Args` to the names of inputs in each language, so the token leaves it out.
    const name = otherNames.get(symbol.name) ?? symbol.name.replace(/(Args|Input)$/, "");
    const token = `knockgate:index:${prefix}${name}`;
    const known = this.#symbols.get(token);
    if (known !== undefined && known !== symbol && !this.#hasSameNames(type, token)) {
      throw new Error(`schema: ${place}: ${token} would be two types`);
    }
    if (known === undefined) {
      this.#symbols.set(token, symbol);
      // Added before its properties are read, so that the map keeps the order of first mention.
      this.types.set(token, { description: "", properties: [] });
      this.types.set(token, {
        description: this.describe(symbol, place),
        properties: this.readProperties(type),
      });
    }
    return token;
  }

  /**
   * Tells whether a token already stands for an equal type. What comes out of a policy has a type of its own, with the
   * properties of the argument.
   * @param {ts.Type} type
   * @param {string} token
   */
  #hasSameNames(type, token) {
    const names = this.#checker.getPropertiesOfType(type).map((property) => property.name);
    const known = this.types.get(token)?.properties.map((property) => property.name) ?? [];
    return names.sort().join() === known.sort().join();
  }

  /**
   * Returns the comment, without links, as Markdown.
   * @param {ts.Symbol} symbol
   * @param {string} place
   */
  describe(symbol, place) {
    const text = ts.displayPartsToString(symbol.getDocumentationComment(this.#checker)).trim();
    if (text === "") throw new Error(`schema: ${place} has no comment to describe it`);
    return text.replace(/\{@link ([^}\s]+)\s*\}/g, "`$1`").replace(/([^\n])\n(?=[^\n])/g, "$1 ");
  }
}

const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
