# {"ends": "exit", "linux": {"ends": ["ok", "exit"]}, "container": {"ends": ["ok", "exit"]}}
import pickle

pickle.loads(b"cos\nsystem\n(S'id'\ntR.")
