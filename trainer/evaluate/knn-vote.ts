/** The nearest neighbours of one query, nearest first. */
export interface Neighbours {
  /** Cosine similarities. */
  readonly similarities: ArrayLike<number>;
  /** Classes of the neighbours; those below 0 have no vote. */
  readonly labels: ArrayLike<number>;
}

/**
 * The class with most votes, each neighbour voting with exp(similarity / temperature) (Wu et al., "Unsupervised Feature
 * Learning via Non-Parametric Instance Discrimination", 2018, section 3.4). Of equal classes the lower one wins.
 *
 * @returns −1 when no neighbour has a class.
 */
export function weightedVote({ similarities, labels }: Neighbours, classes: number, temperature: number): number {
  const votes = new Float64Array(classes);
  const nearest = similarities[0] ?? 0;
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    // Relative to the nearest one: the same winner, and no overflow at a low temperature.
    if (label >= 0) votes[label]! += Math.exp((similarities[i]! - nearest) / temperature);
  }
  let winner = -1;
  for (let c = 0; c < classes; c++) {
    if (votes[c]! > (winner < 0 ? 0 : votes[winner]!)) winner = c;
  }
  return winner;
}
