"""The ops as methods of Value: names, parameters and defaults as in torch, formulas in `rules`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minigrad.engine import Value


class Methods:
    """Every op that has no operator of its own, and the operators by name. Mixed into Value.

    `other`, `end` and their like may be Values or plain numbers, parameters are plain numbers. All return a
    new Value and raise TypeError for operands of another type.
    """

    __slots__ = ()

    # Value says how nodes are made.
    def _unary(self, op: str) -> Value:
        raise NotImplementedError

    def _binary(self, op: str, other: Value | float) -> Value:
        raise NotImplementedError

    def _parametrised(self, op: str, *parameters: float | str | None) -> Value:
        raise NotImplementedError

    def _ternary(self, op: str, b: Value | float, c: Value | float, *parameters: float) -> Value:
        raise NotImplementedError

    # Operators by name

    def add(self, other: Value | float) -> Value:
        """x + other."""
        return self._binary("add", other)

    def sub(self, other: Value | float) -> Value:
        """x - other."""
        return self._binary("sub", other)

    def mul(self, other: Value | float) -> Value:
        """x * other."""
        return self._binary("mul", other)

    def div(self, other: Value | float) -> Value:
        """x / other; inf or nan where other is 0."""
        return self._binary("div", other)

    def pow(self, exponent: Value | float) -> Value:
        """x ** exponent."""
        if isinstance(exponent, Methods):
            return self._binary("pow", exponent)
        return self._parametrised("pow", exponent)

    def abs(self) -> Value:
        """|x|; slope 0 at 0."""
        return self._unary("abs")

    # One operand

    def neg(self) -> Value:
        """-x."""
        return self._unary("neg")

    def sign(self) -> Value:
        """-1, 0 or 1; slope 0 everywhere."""
        return self._unary("sign")

    def relu(self) -> Value:
        """x above 0, else 0; slope 0 at 0."""
        return self._unary("relu")

    def square(self) -> Value:
        """x*x."""
        return self._unary("square")

    def reciprocal(self) -> Value:
        """1/x."""
        return self._unary("reciprocal")

    def deg2rad(self) -> Value:
        """Degrees to radians."""
        return self._unary("deg2rad")

    def rad2deg(self) -> Value:
        """Radians to degrees."""
        return self._unary("rad2deg")

    def floor(self) -> Value:
        """The next whole number below; slope 0 everywhere."""
        return self._unary("floor")

    def ceil(self) -> Value:
        """The next whole number above; slope 0 everywhere."""
        return self._unary("ceil")

    def round(self) -> Value:
        """The nearest whole number, halves to even; slope 0 everywhere."""
        return self._unary("round")

    def trunc(self) -> Value:
        """The next whole number towards 0; slope 0 everywhere."""
        return self._unary("trunc")

    def frac(self) -> Value:
        """x - trunc(x); slope 1 everywhere."""
        return self._unary("frac")

    def exp(self) -> Value:
        """e to the x."""
        return self._unary("exp")

    def exp2(self) -> Value:
        """2 to the x."""
        return self._unary("exp2")

    def expm1(self) -> Value:
        """exp(x) - 1, accurate near 0."""
        return self._unary("expm1")

    def log(self) -> Value:
        """The natural logarithm; -inf at 0, nan below."""
        return self._unary("log")

    def log2(self) -> Value:
        """The logarithm to base 2."""
        return self._unary("log2")

    def log10(self) -> Value:
        """The logarithm to base 10."""
        return self._unary("log10")

    def log1p(self) -> Value:
        """log(1 + x), accurate near 0."""
        return self._unary("log1p")

    def sqrt(self) -> Value:
        """The square root; nan below 0."""
        return self._unary("sqrt")

    def rsqrt(self) -> Value:
        """1/sqrt(x)."""
        return self._unary("rsqrt")

    def sin(self) -> Value:
        """The sine of x radians."""
        return self._unary("sin")

    def cos(self) -> Value:
        """The cosine of x radians."""
        return self._unary("cos")

    def tan(self) -> Value:
        """The tangent of x radians."""
        return self._unary("tan")

    def asin(self) -> Value:
        """The angle in [-pi/2, pi/2] whose sine is x."""
        return self._unary("asin")

    def acos(self) -> Value:
        """The angle in [0, pi] whose cosine is x."""
        return self._unary("acos")

    def atan(self) -> Value:
        """The angle in [-pi/2, pi/2] whose tangent is x."""
        return self._unary("atan")

    def sinc(self) -> Value:
        """sin(pi x) / (pi x), and 1 at 0."""
        return self._unary("sinc")

    def sinh(self) -> Value:
        """The hyperbolic sine."""
        return self._unary("sinh")

    def cosh(self) -> Value:
        """The hyperbolic cosine."""
        return self._unary("cosh")

    def tanh(self) -> Value:
        """The hyperbolic tangent."""
        return self._unary("tanh")

    def asinh(self) -> Value:
        """The inverse of sinh."""
        return self._unary("asinh")

    def acosh(self) -> Value:
        """The inverse of cosh; nan below 1."""
        return self._unary("acosh")

    def atanh(self) -> Value:
        """The inverse of tanh; nan outside [-1, 1]."""
        return self._unary("atanh")

    def erf(self) -> Value:
        """The error function."""
        return self._unary("erf")

    def erfc(self) -> Value:
        """1 - erf(x), accurate for large x."""
        return self._unary("erfc")

    def lgamma(self) -> Value:
        """The logarithm of |gamma(x)|."""
        return self._unary("lgamma")

    def sigmoid(self) -> Value:
        """1 / (1 + exp(-x))."""
        return self._unary("sigmoid")

    def logit(self) -> Value:
        """log(x / (1 - x)), the inverse of sigmoid; nan outside [0, 1]."""
        return self._unary("logit")

    def logsigmoid(self) -> Value:
        """log(sigmoid(x)), accurate for large |x|."""
        return self._unary("logsigmoid")

    def softsign(self) -> Value:
        """x / (1 + |x|)."""
        return self._unary("softsign")

    def tanhshrink(self) -> Value:
        """x - tanh(x)."""
        return self._unary("tanhshrink")

    def silu(self) -> Value:
        """x * sigmoid(x)."""
        return self._unary("silu")

    def mish(self) -> Value:
        """x * tanh(softplus(x))."""
        return self._unary("mish")

    def selu(self) -> Value:
        """scale * elu(x, alpha), with the two constants of self-normalising networks."""
        return self._unary("selu")

    def relu6(self) -> Value:
        """x between 0 and 6; slope 0 at both ends."""
        return self._unary("relu6")

    def hardsigmoid(self) -> Value:
        """(x + 3) / 6 between 0 and 1."""
        return self._unary("hardsigmoid")

    def hardswish(self) -> Value:
        """x * hardsigmoid(x)."""
        return self._unary("hardswish")

    # Two operands

    def maximum(self, other: Value | float) -> Value:
        """The larger, nan when either is; half the gradient to each at a tie."""
        return self._binary("maximum", other)

    def minimum(self, other: Value | float) -> Value:
        """The smaller, nan when either is; half the gradient to each at a tie."""
        return self._binary("minimum", other)

    def fmax(self, other: Value | float) -> Value:
        """The larger, the number when one is nan; all of the gradient to the first at a tie."""
        return self._binary("fmax", other)

    def fmin(self, other: Value | float) -> Value:
        """The smaller, the number when one is nan; all of the gradient to the first at a tie."""
        return self._binary("fmin", other)

    def copysign(self, other: Value | float) -> Value:
        """|x| with the sign of `other`."""
        return self._binary("copysign", other)

    def fmod(self, other: Value | float) -> Value:
        """The remainder of x / other, with the sign of x."""
        return self._binary("fmod", other)

    def remainder(self, other: Value | float) -> Value:
        """The remainder of x / other, with the sign of `other`; `x % other`."""
        return self._binary("remainder", other)

    def atan2(self, other: Value | float) -> Value:
        """The angle of the point (other, x)."""
        return self._binary("atan2", other)

    def hypot(self, other: Value | float) -> Value:
        """sqrt(x*x + other*other) without overflow."""
        return self._binary("hypot", other)

    def logaddexp(self, other: Value | float) -> Value:
        """log(exp(x) + exp(other))."""
        return self._binary("logaddexp", other)

    def logaddexp2(self, other: Value | float) -> Value:
        """log2(2**x + 2**other)."""
        return self._binary("logaddexp2", other)

    def xlogy(self, other: Value | float) -> Value:
        """x * log(other), and 0 where x is 0."""
        return self._binary("xlogy", other)

    # One operand and plain numbers

    def clamp(self, min: float | None = None, max: float | None = None) -> Value:
        """x between min and max; the slope is 1 at both ends. Raises ValueError without either."""
        if min is None and max is None:
            raise ValueError("clamp needs min, max or both")
        return self._parametrised("clamp", min, max)

    def hardtanh(self, min_val: float = -1.0, max_val: float = 1.0) -> Value:
        """x between min_val and max_val; slope 0 at both ends. Raises ValueError when they are swapped."""
        if min_val > max_val:
            raise ValueError(f"hardtanh: min_val {min_val} is greater than max_val {max_val}")
        return self._parametrised("hardtanh", min_val, max_val)

    def leaky_relu(self, negative_slope: float = 0.01) -> Value:
        """x above 0, else negative_slope * x; slope negative_slope at 0."""
        return self._parametrised("leaky_relu", negative_slope)

    def elu(self, alpha: float = 1.0) -> Value:
        """x above 0, else alpha * (exp(x) - 1)."""
        return self._parametrised("elu", alpha)

    def celu(self, alpha: float = 1.0) -> Value:
        """x above 0, else alpha * (exp(x / alpha) - 1). Raises ValueError for alpha 0."""
        if alpha == 0:
            raise ValueError("celu: alpha must not be 0")
        return self._parametrised("celu", alpha)

    def gelu(self, approximate: str = "none") -> Value:
        """x times the normal distribution's cdf at x, exactly ("none") or by tanh ("tanh")."""
        if approximate not in ("none", "tanh"):
            raise ValueError(f"gelu: approximate is 'none' or 'tanh', got {approximate!r}")
        return self._parametrised("gelu", approximate)

    def softplus(self, beta: float = 1.0, threshold: float = 20.0) -> Value:
        """log(1 + exp(beta * x)) / beta, and x itself where beta * x is above threshold."""
        return self._parametrised("softplus", beta, threshold)

    def softshrink(self, lambd: float = 0.5) -> Value:
        """x moved towards 0 by lambd, and 0 within lambd of 0. Raises ValueError for a negative lambd."""
        if lambd < 0:
            raise ValueError(f"softshrink: lambd must not be negative, got {lambd}")
        return self._parametrised("softshrink", lambd)

    def hardshrink(self, lambd: float = 0.5) -> Value:
        """x, and 0 within lambd of 0."""
        return self._parametrised("hardshrink", lambd)

    def threshold(self, threshold: float, value: float) -> Value:
        """x above threshold, else value."""
        return self._parametrised("threshold", threshold, value)

    # Three operands

    def lerp(self, end: Value | float, weight: Value | float) -> Value:
        """x + weight * (end - x)."""
        return self._ternary("lerp", end, weight)

    def addcmul(self, tensor1: Value | float, tensor2: Value | float, *, value: float = 1.0) -> Value:
        """x + value * tensor1 * tensor2."""
        return self._ternary("addcmul", tensor1, tensor2, value)

    def addcdiv(self, tensor1: Value | float, tensor2: Value | float, *, value: float = 1.0) -> Value:
        """x + value * tensor1 / tensor2."""
        return self._ternary("addcdiv", tensor1, tensor2, value)
