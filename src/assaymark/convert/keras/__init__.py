"""HDF5 models of Keras 2, and the legacy ones of Keras 3, to Keras 3: data to data, no code of Keras is run."""
