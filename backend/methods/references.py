"""What is cited, by key: of the methods that a project may have used, as their authors published them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """authors: "Family GG", at most three and "et al". where: journal, conference or archive with volume and pages.
    link: a DOI, an arXiv number ("arXiv:...") or an address; empty for none."""

    key: str
    authors: str
    title: str
    where: str
    year: int
    link: str = ""

    @property
    def line(self) -> str:
        """As a journal lists it."""
        return f"{self.authors}. {self.title}. {self.where}, {self.year}.{f' {self.address}' if self.link else ''}"

    @property
    def address(self) -> str:
        if self.link.startswith("10."):
            return f"https://doi.org/{self.link}"
        archived = self.link.removeprefix("arXiv:")
        return f"https://arxiv.org/abs/{archived}" if archived != self.link else self.link

    @property
    def bib(self) -> str:
        """As BibTeX."""
        names = " and ".join(_bib_name(one) for one in self.authors.split(", "))
        fields = {"author": names, "title": f"{{{self.title}}}", "howpublished": self.where, "year": str(self.year)}
        if self.link:
            fields["doi" if self.link.startswith("10.") else "url"] = (
                self.link if self.link.startswith("10.") else self.address
            )
        body = ",\n".join(f"  {name} = {{{_escaped(value)}}}" for name, value in fields.items())
        return f"@misc{{{self.key},\n{body}\n}}\n"


def _bib_name(name: str) -> str:
    """ "Yuan H" as "Yuan, H."; "et al" as BibTeX says it."""
    if name == "et al":
        return "others"
    family, _, initials = name.rpartition(" ")
    if not family or not initials.isupper():
        return f"{{{name}}}"
    return f"{family}, {' '.join(f'{one}.' for one in initials)}"


def _escaped(text: str) -> str:
    return text.replace("&", r"\&").replace("_", r"\_") if "://" not in text else text


# fmt: off
_ALL = (
    Reference("label-studio", "Tkachenko M, Malyuk M, Holmanyuk A, et al", "Label Studio: data labeling software",
              "Software", 2020, "https://github.com/HumanSignal/label-studio"),
    Reference("yuan2024", "Yuan H, Hong C",
              "Foundation model makes clustering a better initialization for cold-start active learning",
              "arXiv preprint 2402.02561", 2024, "arXiv:2402.02561"),
    # Embedders.
    Reference("cohen2022", "Cohen JP, Viviano JD, Bertin P, et al",
              "TorchXRayVision: a library of chest X-ray datasets and models",
              "Proceedings of the International Conference on Medical Imaging with Deep Learning (MIDL)", 2022,
              "arXiv:2111.00595"),
    Reference("cohen2021", "Cohen JP, Brooks R, En S, et al",
              "Gifsplanation via latent shift: a simple autoencoder approach to counterfactual generation for chest "
              "X-rays", "Proceedings of the Conference on Medical Imaging with Deep Learning (MIDL)", 2021,
              "arXiv:2102.09475"),
    Reference("deng2009", "Deng J, Dong W, Socher R, et al", "ImageNet: a large-scale hierarchical image database",
              "IEEE Conference on Computer Vision and Pattern Recognition (CVPR)", 2009, "10.1109/CVPR.2009.5206848"),
    Reference("torchvision", "TorchVision maintainers and contributors",
              "TorchVision: PyTorch's computer vision library", "Software", 2016,
              "https://github.com/pytorch/vision"),
    Reference("oquab2024", "Oquab M, Darcet T, Moutakanni T, et al",
              "DINOv2: learning robust visual features without supervision",
              "Transactions on Machine Learning Research", 2024, "arXiv:2304.07193"),
    Reference("perezgarcia2025", "Pérez-García F, Sharma H, Bond-Taylor S, et al",
              "Exploring scalable medical image encoders beyond text supervision", "Nature Machine Intelligence",
              2025, "arXiv:2401.10815"),
    Reference("azizi2023", "Azizi S, Culp L, Freyberg J, et al",
              "Robust and data-efficient generalization of self-supervised machine learning for diagnostic imaging",
              "Nature Biomedical Engineering", 2023, "10.1038/s41551-023-01049-7"),
    Reference("sellergren2022", "Sellergren AB, Chen C, Nabulsi Z, et al",
              "Simplified transfer learning for chest radiography models using less data", "Radiology", 2022,
              "10.1148/radiol.212482"),
    Reference("xu2023", "Xu S, Yang L, Kelly C, et al",
              "ELIXR: towards a general purpose X-ray artificial intelligence system through alignment of large "
              "language models and radiology vision encoders", "arXiv preprint 2308.01317", 2023, "arXiv:2308.01317"),
    Reference("wightman2019", "Wightman R", "PyTorch Image Models", "Software", 2019,
              "https://github.com/huggingface/pytorch-image-models"),
    Reference("wolf2020", "Wolf T, Debut L, Sanh V, et al",
              "Transformers: state-of-the-art natural language processing",
              "Conference on Empirical Methods in Natural Language Processing (EMNLP): System Demonstrations", 2020,
              "arXiv:1910.03771"),
    Reference("onnx", "ONNX contributors", "Open Neural Network Exchange", "Software", 2017, "https://onnx.ai"),
    Reference("dalal2005", "Dalal N, Triggs B", "Histograms of oriented gradients for human detection",
              "IEEE Conference on Computer Vision and Pattern Recognition (CVPR)", 2005, "10.1109/CVPR.2005.177"),
    # Selectors.
    Reference("arthur2007", "Arthur D, Vassilvitskii S", "k-means++: the advantages of careful seeding",
              "ACM-SIAM Symposium on Discrete Algorithms (SODA)", 2007),
    Reference("ward1963", "Ward JH", "Hierarchical grouping to optimize an objective function",
              "Journal of the American Statistical Association 58:236-244", 1963, "10.1080/01621459.1963.10500845"),
    Reference("nemhauser1978", "Nemhauser GL, Wolsey LA, Fisher ML",
              "An analysis of approximations for maximizing submodular set functions I",
              "Mathematical Programming 14:265-294", 1978, "10.1007/BF01588971"),
    Reference("krause2014", "Krause A, Golovin D", "Submodular function maximization",
              "Tractability: Practical Approaches to Hard Problems, Cambridge University Press", 2014),
    Reference("settles2008", "Settles B, Craven M",
              "An analysis of active learning strategies for sequence labeling tasks",
              "Conference on Empirical Methods in Natural Language Processing (EMNLP)", 2008),
    Reference("sener2018", "Sener O, Savarese S",
              "Active learning for convolutional neural networks: a core-set approach",
              "International Conference on Learning Representations (ICLR)", 2018, "arXiv:1708.00489"),
    Reference("bae2024", "Bae W, Noh J, Sutherland DJ",
              "Generalized coverage for more robust low-budget active learning",
              "European Conference on Computer Vision (ECCV)", 2024, "arXiv:2407.12212"),
    Reference("bae2025", "Bae W, Oliveira GL, Sutherland DJ",
              "Uncertainty herding: one active learning method for all label budgets",
              "International Conference on Learning Representations (ICLR)", 2025, "arXiv:2412.20644"),
    Reference("yehuda2022", "Yehuda O, Dekel A, Hacohen G, et al", "Active learning through a covering lens",
              "Advances in Neural Information Processing Systems (NeurIPS)", 2022, "arXiv:2205.11320"),
    Reference("hacohen2022", "Hacohen G, Dekel A, Weinshall D",
              "Active learning on a budget: opposite strategies suit high and low budgets",
              "International Conference on Machine Learning (ICML)", 2022, "arXiv:2202.02794"),
    Reference("chen2022", "Chen L, Bai Y, Huang S, et al",
              "Making your first choice: to address cold start problem in vision active learning",
              "arXiv preprint 2210.02442", 2022, "arXiv:2210.02442"),
    Reference("medcal2025", "Zhu N, Ma X, Zhang S, et al",
              "MedCAL-Bench: a comprehensive benchmark on cold-start active learning with foundation models for "
              "medical image analysis", "arXiv preprint 2508.03441", 2025, "arXiv:2508.03441"),
    Reference("bankier1988", "Bankier MD", "Power allocations: determining sample sizes for subnational areas",
              "The American Statistician 42:174-177", 1988, "10.1080/00031305.1988.10475556"),
    Reference("ash2020", "Ash JT, Zhang C, Krishnamurthy A, et al",
              "Deep batch active learning by diverse, uncertain gradient lower bounds",
              "International Conference on Learning Representations (ICLR)", 2020, "arXiv:1906.03671"),
    Reference("citovsky2021", "Citovsky G, DeSalvo G, Gentile C, et al", "Batch active learning at scale",
              "Advances in Neural Information Processing Systems (NeurIPS)", 2021, "arXiv:2107.14263"),
    Reference("gupte2024", "Gupte SR, Aklilu J, Nirschl JJ, et al",
              "Revisiting active learning in the era of vision foundation models",
              "Transactions on Machine Learning Research", 2024, "arXiv:2401.14555"),
    Reference("settles2009", "Settles B", "Active learning literature survey",
              "Computer Sciences Technical Report 1648, University of Wisconsin-Madison", 2009),
    Reference("lewis1994", "Lewis DD, Gale WA", "A sequential algorithm for training text classifiers",
              "ACM SIGIR Conference on Research and Development in Information Retrieval", 1994,
              "arXiv:cmp-lg/9407020"),
    Reference("scheffer2001", "Scheffer T, Decomain C, Wrobel S",
              "Active hidden Markov models for information extraction", "Advances in Intelligent Data Analysis (IDA)",
              2001, "10.1007/3-540-44816-0_31"),
    Reference("gal2017", "Gal Y, Islam R, Ghahramani Z", "Deep Bayesian active learning with image data",
              "International Conference on Machine Learning (ICML)", 2017, "arXiv:1703.02910"),
    Reference("roy2019", "Roy AG, Conjeti S, Navab N, et al",
              "Bayesian QuickNAT: model uncertainty in deep whole-brain segmentation for structure-wise quality "
              "control", "NeuroImage 195:11-22", 2019, "arXiv:1811.09800"),
    # Heads.
    Reference("pedregosa2011", "Pedregosa F, Varoquaux G, Gramfort A, et al",
              "Scikit-learn: machine learning in Python", "Journal of Machine Learning Research 12:2825-2830", 2011,
              "arXiv:1201.0490"),
    Reference("simonyan2015", "Simonyan K, Zisserman A",
              "Very deep convolutional networks for large-scale image recognition",
              "International Conference on Learning Representations (ICLR)", 2015, "arXiv:1409.1556"),
    Reference("ronneberger2015", "Ronneberger O, Fischer P, Brox T",
              "U-Net: convolutional networks for biomedical image segmentation",
              "Medical Image Computing and Computer-Assisted Intervention (MICCAI)", 2015, "arXiv:1505.04597"),
    Reference("iakubovskii2019", "Iakubovskii P", "Segmentation models PyTorch", "Software", 2019,
              "https://github.com/qubvel-org/segmentation_models.pytorch"),
    Reference("saerens2002", "Saerens M, Latinne P, Decaestecker C",
              "Adjusting the outputs of a classifier to new a priori probabilities: a simple procedure",
              "Neural Computation 14:21-41", 2002, "10.1162/089976602753284446"),
    # Figures.
    Reference("efron1993", "Efron B, Tibshirani RJ", "An introduction to the bootstrap", "Chapman & Hall", 1993,
              "10.1007/978-1-4899-4541-9"),
    Reference("dice1945", "Dice LR", "Measures of the amount of ecologic association between species",
              "Ecology 26:297-302", 1945, "10.2307/1932409"),
    Reference("cohen1960", "Cohen J", "A coefficient of agreement for nominal scales",
              "Educational and Psychological Measurement 20:37-46", 1960, "10.1177/001316446002000104"),
    Reference("fleiss1971", "Fleiss JL", "Measuring nominal scale agreement among many raters",
              "Psychological Bulletin 76:378-382", 1971, "10.1037/h0031619"),
    Reference("northcutt2021", "Northcutt CG, Jiang L, Chuang IL",
              "Confident learning: estimating uncertainty in dataset labels",
              "Journal of Artificial Intelligence Research 70:1373-1411", 2021, "10.1613/jair.1.12125"),
    Reference("lopezpaz2017", "Lopez-Paz D, Oquab M", "Revisiting classifier two-sample tests", "ICLR", 2017,
              "arXiv:1610.06545"),
    Reference("holm1979", "Holm S", "A simple sequentially rejective multiple test procedure",
              "Scandinavian Journal of Statistics 6:65-70", 1979),
    Reference("bossuyt2015", "Bossuyt PM, Reitsma JB, Bruns DE, et al",
              "STARD 2015: an updated list of essential items for reporting diagnostic accuracy studies",
              "BMJ 351:h5527", 2015, "10.1136/bmj.h5527"),
)
# fmt: on

REFERENCES = {one.key: one for one in _ALL}
