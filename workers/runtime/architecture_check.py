"""Looks through an architecture's JSON before Keras sees it: only a network of plain layers is let through.

An allow-list, not a search for known attacks: Keras resolves names in a config to its own functions and classes, and
among them were ones that fetch files, load other models or switch its safe mode off. Beside Keras's own, what the
operator's modules have registered is allowed, by its registered name alone; see `workers.runtime.own_code`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from workers.runtime.errors import ArchitectureError
from workers.runtime.expanded_calls import expanded_calls
from workers.runtime.file_format import MAX_FILLED_BYTES
from workers.runtime.legacy_config import HARD_SIGMOID_OF_KERAS_2, translate
from workers.runtime.lookup_check import HASHES, WORDS, check_lookup
from workers.runtime.own_code import is_own_name, say_what_to_do
from workers.runtime.served_form import own_to_served_form, to_served_form

MAX_DEPTH = 100
#: A name of an architecture that is shown in a message.
MAX_SHOWN_CHARACTERS = 100
#: Layers, initializers, tensors and all else in a config that has a class; EfficientNetV2L has 4,800.
MAX_OBJECTS = 20_000
#: Keras builds a Sequential model anew with each layer that it adds: n * n / 2 steps for n layers, here half a minute.
MAX_SEQUENTIAL_STEPS = 40_000
#: Calls of layers, those in a nested model as often as it is called: half a minute here; EfficientNetV2L has 1,000.
MAX_CALLS = 40_000
#: A class of Keras is written in capitals and small letters; its functions that only have names in small letters.
_CLASS_NAME = re.compile(r"[A-Z][A-Za-z0-9]*")


def names(text: str) -> frozenset[str]:
    """The names in a text, blanks between them."""
    return frozenset(text.split())


#: Everything of keras.layers that computes numbers from numbers. Not here: layers that run code or other programs'
#: models (Lambda, TFSMLayer, TorchModuleWrapper, JaxLayer, FlaxLayer).
_LAYERS = names("""
    Activation ActivityRegularization AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D
    AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D Add AdditiveAttention AlphaDropout Attention AugMix
    AutoContrast Average AveragePooling1D AveragePooling2D AveragePooling3D AvgPool1D AvgPool2D AvgPool3D
    BatchNormalization Bidirectional CategoryEncoding CenterCrop Concatenate
    ContrastLimitedAdaptiveHistogramEqualization Conv1D Conv1DTranspose Conv2D Conv2DTranspose Conv3D Conv3DTranspose
    ConvLSTM1D ConvLSTM2D ConvLSTM3D Convolution1D Convolution1DTranspose Convolution2D Convolution2DTranspose
    Convolution3D Convolution3DTranspose Cropping1D Cropping2D Cropping3D CutMix Dense DepthwiseConv1D DepthwiseConv2D
    Discretization Dot Dropout ELU EinsumDense Embedding Equalization Flatten GRU GRUCell GaussianDropout GaussianNoise
    GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D GlobalAvgPool1D GlobalAvgPool2D
    GlobalAvgPool3D GlobalMaxPool1D GlobalMaxPool2D GlobalMaxPool3D GlobalMaxPooling1D GlobalMaxPooling2D
    GlobalMaxPooling3D GroupNormalization GroupQueryAttention Identity InputLayer LSTM LSTMCell LayerNormalization
    LeakyReLU Masking MaxPool1D MaxPool2D MaxPool3D MaxPooling1D MaxPooling2D MaxPooling3D Maximum MelSpectrogram
    Minimum MixUp MultiHeadAttention Multiply Normalization PReLU Permute Pipeline RMSNormalization RNN RandAugment
    RandomBrightness RandomColorDegeneration RandomColorJitter RandomContrast RandomCrop RandomElasticTransform
    RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale RandomHue RandomInvert RandomPerspective
    RandomPosterization RandomRotation RandomSaturation RandomSharpness RandomShear RandomTranslation RandomZoom ReLU
    RepeatVector Rescaling Reshape Resizing ReversibleEmbedding STFTSpectrogram SeparableConv1D SeparableConv2D
    SeparableConvolution1D SeparableConvolution2D SimpleRNN SimpleRNNCell Softmax Solarization SpatialDropout1D
    SpatialDropout2D SpatialDropout3D SpectralNormalization StackedRNNCells Subtract TimeDistributed UnitNormalization
    UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D
    """)
#: Those that read words; each is looked through, see `workers.runtime.lookup_check`.
_LOOKUPS = HASHES | WORDS.keys()
_MODELS = frozenset({"Sequential", "Functional", "Model"})
_POLICIES = names("""
    DTypePolicy DTypePolicyMap FloatDTypePolicy Int4DTypePolicy QuantizedDTypePolicy QuantizedFloat8DTypePolicy
    """)
#: Not here: what holds a tokenizer and data sets to be calibrated with (GPTQConfig, AWQConfig).
_QUANTIZERS = names("AbsMaxQuantizer Float8QuantizationConfig Int4QuantizationConfig Int8QuantizationConfig")
#: Classes by their module; None stands for every class of the module.
_CLASSES: dict[str, frozenset[str] | None] = {
    "keras": _MODELS | _POLICIES,
    "keras.models": _MODELS,
    "keras.src.models.functional": _MODELS,
    "keras.src.models.sequential": _MODELS,
    "keras.src.models.model": _MODELS,
    "keras.dtype_policies": _POLICIES,
    "keras.layers": _LAYERS | _LOOKUPS,
    "keras.quantizers": _QUANTIZERS,
    "keras.initializers": None,
    "keras.regularizers": None,
    "keras.constraints": None,
    "keras.random": frozenset({"SeedGenerator"}),
    # What `a + b` and `keras.ops` leave in a functional model; those that take functions are not here.
    "keras.src.ops.numpy": None,
    "keras.src.ops.nn": None,
    "keras.src.ops.math": None,
    "keras.src.ops.linalg": None,
    "keras.src.ops.image": None,
    "keras.src.ops.core": frozenset(
        {"Cast", "SaturateCast", "ConvertToTensor", "Slice", "SliceUpdate", "StopGradient", "Unstack"}
    ),
}
#: Operations that take as much memory as a number of a request says.
_SIZED_BY_VALUES = names("Bincount")
_ACTIVATIONS = names("""
    celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu linear log_sigmoid
    log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus sparse_sigmoid
    sparsemax squareplus swish tanh tanh_shrink threshold
    """)
#: Values, not classes, as Keras writes them; `__lambda__` and `__typespec__` are not here.
_VALUES = frozenset({"__keras_tensor__", "__bytes__", "__ellipsis__", "__slice__"})
_ARRAYS = frozenset({"__numpy__", "__tensor__"})
_DTYPES = names("""
    bool int8 uint8 int16 uint16 int32 uint32 int64 uint64 float16 bfloat16 float32 float64
    """)


def check_architecture(config: str) -> str:
    """The config in the form that is served, see `workers.runtime.served_form`.

    Raises:
        ArchitectureError: it describes something else than a Keras model of plain layers; the message says what.
    """
    if len(config) > MAX_FILLED_BYTES:
        raise ArchitectureError(f"the architecture's JSON is longer than {MAX_FILLED_BYTES} characters")
    try:
        described = json.loads(config)
    except (ValueError, RecursionError) as error:
        raise ArchitectureError(f"the architecture is no JSON: {error}") from error
    if not isinstance(described, dict) or not _may_be_model(described):
        raise ArchitectureError("the architecture's JSON describes no Keras model")
    for _ in _objects(described):
        pass  # before anything is done with them there are not too many
    described = translate(described)
    steps = 0
    for found in _objects(described):
        if is_own_name(_registered_name(found)):
            _pin_to_registered(found)
            own_to_served_form(found)
            continue
        _check(found)
        steps += _sequential_steps(found)
        if steps > MAX_SEQUENTIAL_STEPS:
            raise ArchitectureError(
                "a Sequential model has more layers than Keras builds in good time: use a functional one"
            )
        to_served_form(found)
    if expanded_calls(described) > MAX_CALLS:
        raise ArchitectureError(f"the architecture's nested models call layers more than {MAX_CALLS} times in all")
    return json.dumps(described)


def _may_be_model(described: dict[str, Any]) -> bool:
    name = _registered_name(described)
    return str(described.get("class_name")) in _MODELS or (isinstance(name, str) and ">" in name)


def _registered_name(found: dict[str, Any]) -> Any:
    """The name by which Keras looks for a registered object: that of a function is its config."""
    return found.get("config" if found.get("class_name") == "function" else "registered_name")


def _pin_to_registered(found: dict[str, Any]) -> None:
    """Leave nothing but the registered name to say what this is, so that Keras can take nothing else for it."""
    if found["class_name"] == "function":
        found.update(module="builtins", registered_name="function")
    else:
        # Some class names mean something else to Keras, such as `__lambda__`; none that has a `>`.
        found.update(module=None, class_name=found["registered_name"])


def _sequential_steps(found: dict[str, Any]) -> int:
    inner = found.get("config")
    layers = inner.get("layers") if isinstance(inner, dict) else inner
    return len(layers) ** 2 // 2 if found["class_name"] == "Sequential" and isinstance(layers, list) else 0


def _objects(described: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Everything in the config that has a class; the caller may change what it is given before it goes on."""
    waiting: list[tuple[Any, int]] = [(described, 0)]
    count = 0
    while waiting:
        value, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise ArchitectureError(f"the architecture's JSON is nested more than {MAX_DEPTH} deep")
        if isinstance(value, dict):
            if "class_name" in value:
                count += 1
                if count > MAX_OBJECTS:
                    raise ArchitectureError(f"the architecture has more than {MAX_OBJECTS} layers and other objects")
                yield value
            waiting.extend((each, depth + 1) for each in value.values())
        elif isinstance(value, list):
            waiting.extend((each, depth + 1) for each in value if isinstance(each, dict | list))


def _check(found: dict[str, Any]) -> None:
    name, module, inner = found["class_name"], found.get("module"), found.get("config")
    registered = found.get("registered_name")
    if not isinstance(name, str) or not isinstance(module, str | None):
        raise ArchitectureError("the architecture has an object whose class is no name")
    if isinstance(own := _registered_name(found), str) and ">" in own:
        raise ArchitectureError(f"the architecture needs own code: {say_what_to_do(own[:MAX_SHOWN_CHARACTERS])}")
    if (name in _VALUES and module is None) or found == HARD_SIGMOID_OF_KERAS_2:
        return
    if name in _ARRAYS and module is None:
        if not isinstance(inner, dict) or inner.get("dtype") not in _DTYPES:
            raise ArchitectureError("the architecture has an array that holds no numbers")
        return
    if name == "function":
        if module not in ("builtins", "keras.activations") or not isinstance(inner, str) or inner not in _ACTIVATIONS:
            raise ArchitectureError(f"the architecture names a function that is no activation: {module}.{inner}")
        name = inner
    else:
        _check_class(module, name)
    if name in _LOOKUPS:
        check_lookup(name, inner)
    if registered not in (None, "", name, "function"):
        raise ArchitectureError(f"the architecture names {registered!r}, which is not Keras's own")


def _check_class(module: str | None, name: str) -> None:
    if module is None:
        raise ArchitectureError(f"the architecture's {name} does not say which module of Keras it is from")
    if module.partition(".")[0] != "keras":
        raise ArchitectureError(
            f"the architecture has {module}.{name}, which is not Keras's own and has no registered name: put "
            "@keras.saving.register_keras_serializable(package=...) before the class, and save the network again"
        )
    if name in _SIZED_BY_VALUES:
        raise ArchitectureError(f"the architecture has {name}, whose answer is as long as a number of a row is large")
    allowed = _CLASSES.get(module, frozenset())
    if not _CLASS_NAME.fullmatch(name) or (allowed is not None and name not in allowed):
        raise ArchitectureError(f"the architecture has {module}.{name}, which is not among the layers that are served")
