/** The one door to TensorFlow: everything that needs `tf` takes it from here. */
import './node-compatibility';
import './native-kernels';

export * as tf from '@tensorflow/tfjs-node-gpu';
