import pickle

twin = pickle.loads(pickle.dumps(original))
