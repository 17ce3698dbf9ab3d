/** What a term means in one line, and who says so. Each has to hold for a statistician too. */
export interface Meaning {
  title: string
  text: string
  source?: string
}

export const TERMS = {
  trial: {
    title: 'Trial',
    text: 'One strategy, on one stretch of one data set, at one cost. Tried again, by whomever, it counts once; with another number, fee or first bar it is another trial.',
  },
  family: { title: 'Family', text: 'Strategies that are alike but for their numbers.' },
  edge: {
    title: 'Edge',
    text: 'A net return per bar that is expected to be above zero, after fees, slippage and funding. Without an edge it is not, on any bar, given everything that came before.',
  },
  claim: {
    title: 'Claim (hypothesis)',
    text: 'That this strategy, on this market, at these costs, has an edge. It is registered once, keeps its number, and only bars that could not be known then count for it.',
  },
  wealth: {
    title: 'Wealth',
    text: 'What a gambler has who began with 1 and bets on the strategy’s net return of every bar that counts. Without an edge it is not expected to grow, whatever the returns are like. It is a measure of evidence: nobody’s money, no probability, no p-value.',
    source: 'Ville 1939; Shafer 2021; Waudby-Smith and Ramdas 2024',
  },
  best: {
    title: 'Best so far',
    text: 'The highest wealth up to now. To reach a level that was fixed beforehand is to stop there, so it counts although the wealth may fall later.',
    source: 'Ville 1939',
  },
  level: {
    title: 'Level to reach',
    text: 'The wealth that is proof for claim number k, fixed when it was registered: 1/α with α = 0.1 × 1/(k(k+1)) × (R+1), R the promotions made before. Later claims have to reach more, promotions make the next ones cheaper.',
    source: 'e-LOND, Xu and Ramdas 2024',
  },
  discovery: {
    title: 'False discovery rate',
    text: 'Of all claims that ever reach their level, the share without an edge is expected to be at most one in ten, however the claims depend on one another. It is said of all claims of this home together and not of any single one.',
    source: 'Xu and Ramdas 2024',
  },
  anytime: {
    title: 'p-value at any time',
    text: '1 over the best wealth. Where there is no edge, the chance that it is ever as low as p is at most p, however often one looks. It is for one claim alone; the level accounts for the others.',
    source: 'Ville 1939; Shafer 2021',
  },
  promotion: {
    title: 'Promotion (proof)',
    text: 'A claim’s wealth has reached its level. It is written down and nothing else happens: real money needs a person and a venue.',
  },
  bound: {
    title: 'Bound',
    text: 'The most that a bar can lose, fixed before the bar. A bar that loses more voids the bet: the wealth is 0 from then on.',
  },
  sharpe: {
    title: 'Sharpe ratio',
    text: 'The mean of the net returns over their standard deviation, times the square root of the bars in a year.',
  },
  deflated: {
    title: 'Deflated Sharpe ratio',
    text: 'The confidence that the true Sharpe ratio is higher than the best that luck is expected to show in as many trials: one minus a p-value, from its length, skew and kurtosis.',
    source: 'Bailey and López de Prado 2014',
  },
  overfitting: {
    title: 'Probability of overfitting (PBO)',
    text: 'Over 252 ways to part the time into two halves: how often what was best in one half is not above the middle in the other, among all behaviours that made money.',
    source: 'Bailey, Borwein, López de Prado and Zhu 2017',
  },
  crossvalidation: {
    title: 'Cross-validation',
    text: 'The Sharpe ratios per bar of 45 held-out fifths of the time; a tenth of them lie below this number.',
    source: 'López de Prado 2018',
  },
  endurance: {
    title: 'Endurance',
    text: 'The share of the Sharpe ratio that is left at double costs and one bar late, both at once.',
  },
  selection: {
    title: 'Selection',
    text: 'A fifth of the bars, after those of the search. Each finalist of a campaign has one look at it, and every look is counted.',
  },
  superiority: {
    title: 'Superiority',
    text: 'Better than nothing among all finalists: a p-value that accounts for how many there are, over what is allowed, by StepM at 5 % or by Benjamini and Yekutieli at 10 %, whichever is kinder.',
    source: 'Romano and Wolf 2005, 2016; Benjamini and Yekutieli 2001',
  },
  vault: {
    title: 'Vault',
    text: 'The last fifth of the bars. It opens once for a claim, after that was registered.',
  },
  luck: {
    title: 'Expected best of luck',
    text: 'The Sharpe ratio that the best of N strategies without an edge is expected to show, where they have nothing to do with one another. One of them alone is spread around 0 by √(bars a year / (bars − 1)).',
    source: 'Bailey and López de Prado 2014',
  },
  clusters: {
    title: 'Clusters of behaviour',
    text: 'Groups of trials whose returns over 60 stretches of time correlate by at least 0.9 with the first of the group.',
  },
  correlation: {
    title: 'By average correlation',
    text: 'ρ + (1 − ρ) N, with ρ the mean correlation of two trials and N their number.',
  },
  rank: {
    title: 'Effective rank',
    text: 'e to the power of the entropy of the eigenvalues of the trials’ correlations.',
    source: 'Roy and Vetterli 2007',
  },
  participation: {
    title: 'Participation ratio',
    text: 'The square of the sum of these eigenvalues over the sum of their squares.',
  },
  interval: {
    title: '95 % interval',
    text: 'The shares that are compatible with what was counted: an exact interval that covers the true share at least 95 times in 100.',
    source: 'Clopper and Pearson 1934',
  },
  oracle: {
    title: 'Oracle',
    text: 'The planted rule itself, traded as a strategy. It counts as found where it would have been proven on the same bars as the first claim.',
  },
  naive: {
    title: 'Naive pipeline',
    text: 'The best backtest of the same trials, believed where p < 0.05: what one does who does not count.',
  },
} as const satisfies Record<string, Meaning>

export type TermName = keyof typeof TERMS

export const SOURCES = [
  'Ville: Étude critique de la notion de collectif (1939).',
  'Clopper, Pearson: The use of confidence or fiducial limits illustrated in the case of the binomial. Biometrika 26 (1934).',
  'Shafer: Testing by betting. Journal of the Royal Statistical Society A 184 (2021).',
  'Waudby-Smith, Ramdas: Estimating means of bounded random variables by betting. Journal of the Royal Statistical Society B 86 (2024).',
  'Xu, Ramdas: Online multiple testing with e-values. AISTATS (2024).',
  'Bailey, López de Prado: The deflated Sharpe ratio. Journal of Portfolio Management 40 (2014).',
  'Bailey, Borwein, López de Prado, Zhu: The probability of backtest overfitting. Journal of Computational Finance 20 (2017).',
  'López de Prado: Advances in financial machine learning (2018).',
  'Romano, Wolf: Stepwise multiple testing as formalized data snooping. Econometrica 73 (2005).',
  'Benjamini, Yekutieli: The control of the false discovery rate in multiple testing under dependency. Annals of Statistics 29 (2001).',
  'Roy, Vetterli: The effective rank. EUSIPCO (2007).',
]
