"""Adam in TensorFlow's fused kernel, with PyTorch's epsilon."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("gan_zoo")
class FusedAdam(keras.optimizers.Adam):
    """Adam (Kingma and Ba 2014, arXiv 1412.6980) as `torch.optim.Adam` computes it, in one kernel a variable.

    Keras' own update is a dozen operations over each variable, a good part of a training step on a CPU.
    PyTorch adds epsilon to the bias-corrected root of the second moment, Keras and the kernel to the uncorrected one:
    multiplied by `sqrt(1 - beta_2^t)` it does the same. The default is PyTorch's 1e-8.
    """

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-8, **kwargs) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **kwargs)

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor) -> None:
        dtype = gradient.dtype
        step = tf.cast(self.iterations.value + 1, dtype)
        beta_1, beta_2 = tf.constant(self.beta_1, dtype), tf.constant(self.beta_2, dtype)
        beta_1_power, beta_2_power = tf.pow(beta_1, step), tf.pow(beta_2, step)
        index = self._get_variable_index(variable)
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
