"""The metrics of an experiment: their names, which is the one that decides, which are better when lower."""

from __future__ import annotations

# By task, the one that the endpoint is made of.
PRIMARY = {"classes": "auprc", "masks": "dsc"}

TITLES = {
    "auprc": "AUPRC",
    "auprc_above_chance": "AUPRC above chance",
    "auroc": "AUROC",
    "f1_youden": "F1 at Youden's threshold",
    "f1_half": "F1 at 0.5",
    "f1_half_bootstrap_sd": "SD of F1 at 0.5 over 100 bootstraps of the test part",
    "f1_best": "F1 at the best F1's threshold",
    "sensitivity": "Sensitivity at Youden's threshold",
    "specificity": "Specificity at Youden's threshold",
    "dsc": "DSC",
    "hd": "HD",
    "hd95": "HD95",
    "hd95_missed": "HD95, a miss as the diagonal",
    "miss_rate": "Miss rate",
    "false_positive_rate": "False positives on empty masks",
    "coverage": "Coverage of the training part (mean cosine to the nearest chosen)",
    "diversity": "Diversity (mean cosine distance among the chosen)",
    "positive_share": "Share of positives among the chosen",
    "auprc_bootstrap_sd": "SD of AUPRC over 100 bootstraps of the test part",
    "f1_youden_bootstrap_sd": "SD of F1 over 100 bootstraps of the test part",
    "dsc_bootstrap_sd": "SD of DSC over 100 bootstraps of the test part",
    "hd_bootstrap_sd": "SD of HD over 100 bootstraps of the test part",
}

LOWER_IS_BETTER = frozenset({"hd", "hd95", "hd95_missed", "miss_rate", "false_positive_rate"})

# Of the queue alone: no head is needed.
OF_THE_CHOICE = ("coverage", "diversity", "positive_share")

# Left out of a repeat whose test part holds few positives: a mean over the other repeats is of other splits.
NEEDS_ALL = frozenset({"f1_youden", "f1_half", "f1_best", "f1_half_bootstrap_sd", "f1_youden_bootstrap_sd"})

DISTANCES = frozenset({"hd", "hd95", "hd95_missed", "hd_bootstrap_sd"})
