"""Adam with PyTorch's epsilon and TensorFlow 1's RMSProp, in TensorFlow's fused kernels; weights kept small."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("gan_zoo")
class FusedAdam(keras.optimizers.Adam):
    """Adam (Kingma and Ba 2014, arXiv 1412.6980) as `torch.optim.Adam` computes it, in one kernel a variable.

    Keras' own update is a dozen operations over each variable, a good part of a training step on a CPU.
    PyTorch adds epsilon to the bias-corrected root of the second moment, Keras and the kernel to the uncorrected one:
    multiplied by `sqrt(1 - beta_2^t)` it does the same. The default is PyTorch's 1e-8.

    Args:
        l2: times the weight is added to its gradient, PyTorch's `weight_decay`. Keras' own argument of that name takes
            it off the weight instead, past both moments (Loshchilov and Hutter 2017, arXiv 1711.05101).
    """

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-8, l2=0.0, **kwargs) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **kwargs)
        self.l2 = l2

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor) -> None:
        dtype = gradient.dtype
        step = tf.cast(self.iterations.value + 1, dtype)
        beta_1, beta_2 = tf.constant(self.beta_1, dtype), tf.constant(self.beta_2, dtype)
        beta_1_power, beta_2_power = tf.pow(beta_1, step), tf.pow(beta_2, step)
        index = self._get_variable_index(variable)
        if self.l2:
            gradient += tf.constant(self.l2, dtype) * tf.convert_to_tensor(variable)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=beta_1_power,
            beta2_power=beta_2_power,
            lr=tf.cast(learning_rate, dtype),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=tf.constant(self.epsilon, dtype) * tf.sqrt(1.0 - beta_2_power),
            grad=gradient,
            use_locking=False,
        )

    def get_config(self) -> dict:
        return {**super().get_config(), "l2": self.l2}


@keras.saving.register_keras_serializable("gan_zoo")
class FusedRMSprop(keras.optimizers.RMSprop):
    """RMSProp (Tieleman and Hinton 2012) as TensorFlow 1's `RMSPropOptimizer` computes it, in one kernel a variable.

    The mean of squared gradients starts at 1, so that the first steps are short; epsilon stands under the root. In
    Keras' own it starts at 0, and epsilon is added to the root.

    Args:
        rho: the decay of that mean.
        momentum: of the steps.
    """

    initial_velocity = 1.0

    def __init__(self, learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-10, **kwargs) -> None:
        super().__init__(learning_rate, rho, momentum, epsilon, **kwargs)

    def build(self, variables: list) -> None:
        if self.built:
            return
        super().build(variables)
        for velocity in self._velocities:
            velocity.assign(self.initial_velocity * tf.ones_like(velocity))
        if not self._momentums:  # the kernel wants one all the same
            self._momentums = self.add_optimizer_variables(variables, "momentum")

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor) -> None:
        dtype = gradient.dtype
        index = self._get_variable_index(variable)
        tf.raw_ops.ResourceApplyRMSProp(
            var=variable.handle,
            ms=self._velocities[index].value.handle,
            mom=self._momentums[index].value.handle,
            lr=tf.cast(learning_rate, dtype),
            rho=tf.constant(self.rho, dtype),
            momentum=tf.constant(self.momentum, dtype),
            epsilon=tf.constant(self.epsilon, dtype),
            grad=gradient,
            use_locking=False,
        )


@keras.saving.register_keras_serializable("gan_zoo")
class Clipped(keras.constraints.Constraint):
    """Clips a variable to [-limit, limit]; Keras' optimizers apply it after each step.

    A critic of such weights has a bounded slope (Arjovsky et al. 2017, arXiv 1701.07875, algorithm 1).
    """

    def __init__(self, limit: float) -> None:
        self.limit = limit

    def __call__(self, value: tf.Tensor) -> tf.Tensor:
        return tf.clip_by_value(tf.convert_to_tensor(value), -self.limit, self.limit)

    def get_config(self) -> dict:
        return {"limit": self.limit}
