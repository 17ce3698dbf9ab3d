"""How much wealth the k-th hypothesis must reach: e-LOND, online false-discovery control with e-values.

Hypotheses are registered one after another, k = 1, 2, ..., and each gets its level for good at that moment:

    α_k = α γ_k (R_k + 1),    γ_k = 1 / (k (k + 1)),    Σ γ_k = 1,

where R_k counts the promotions made before hypothesis k was registered (those demoted or fired later
included). It may be promoted when its e-process reaches 1/α_k. Of all promotions ever made, the expected
share of those without an edge is then at most α, however the hypotheses depend on one another: a promoted k
has R ≥ R_k + 1 in the end, so

    FDR = E Σ_{null k} 1{E_k ≥ 1/α_k} / max(R, 1)
        ≤ Σ_{null k} E[α_k E_k / (R_k + 1)] = α Σ_{null k} γ_k E[E_k] ≤ α,

with E_k the wealth where it first reached 1/α_k, or where it stands.

Registering is what costs: k counts every hypothesis that was ever registered, the withdrawn ones too.

Reference: Xu and Ramdas, "Online multiple testing with e-values", AISTATS (2024).
"""

from __future__ import annotations

from typing import Final

FALSE_DISCOVERY_RATE: Final = 0.1


def share(hypothesis: int) -> float:
    """γ_k = 1 / (k (k + 1)), the share of α that hypothesis k = 1, 2, ... may spend; the shares sum to 1.

    Raises:
        ValueError: when the hypothesis is below 1.
    """
    if hypothesis < 1:
        raise ValueError(f"hypotheses are counted from 1, this was {hypothesis}")
    return 1 / (hypothesis * (hypothesis + 1))


def level(hypothesis: int, promotions: int, alpha: float = FALSE_DISCOVERY_RATE) -> float:
    """α_k of e-LOND, in (0, α).

    Args:
        hypothesis: k, its place among all that were registered, from 1.
        promotions: R_k, the promotions made before it was registered.
        alpha: the false discovery rate to be kept, in (0, 1).

    Raises:
        ValueError: when an argument is out of its range; before hypothesis k there were at most k - 1
            promotions.
    """
    if not 0 <= promotions < hypothesis:
        raise ValueError(f"{promotions} promotions before hypothesis {hypothesis} cannot be")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha lies between 0 and 1, it was {alpha!r}")
    return alpha * share(hypothesis) * (promotions + 1)


def wealth_to_reach(hypothesis: int, promotions: int, alpha: float = FALSE_DISCOVERY_RATE) -> float:
    """1/α_k, the wealth at which hypothesis k may be promoted; arguments and errors as of ``level``."""
    level(hypothesis, promotions, alpha)  # refuses arguments out of range
    return hypothesis * (hypothesis + 1) / (alpha * (promotions + 1))
