/** Sources for which a gate's door is open. */
export function openSet(gate: string): string {
  return `${gate}_open`;
}

/** Sources that have taken exactly the steps 1 to `position`. */
export function progressSet(gate: string, position: number): string {
  return `${gate}_step${position}`;
}

/** The packets with which step `position`, and the steps right behind it that look like it, were taken. */
export function packetSet(gate: string, position: number): string {
  return `${gate}_packet${position}`;
}

/** Networks that have sent a gate's first step, and how fast. */
export function rateSet(gate: string): string {
  return `${gate}_rate`;
}

/**
 * Sources that may be in mid-knock at some gate: all that are, and for a short time those that were. A sized
 * set has room for all gates, so their number is in its name. A set that keeps its name must keep its size, or no door
 * stays open.
 */
export function midKnockSet(gates: number | undefined): string {
  return `mid_knock${gates ?? ""}`;
}

/** The same for a group of gates: how many there are, and the number of the first of them. */
export function midKnockGroupSet(gates: number, first: number): string {
  return `${midKnockSet(gates)}_${first}`;
}

/** All tokens of a policy. Its size is in its name, because a set that keeps its name must keep its size. */
export function tokenSet(size: number): string {
  return `tokens_${size}`;
}

/** A user's tokens for one gate. `label` changes with all that the tokens are made from. */
export function userSet(gate: string, user: string, label: string): string {
  return `${gate}_user_${user}_${label}`;
}
