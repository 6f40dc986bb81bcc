from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

data, labels = load_iris(return_X_y=True)
train, test, train_labels, test_labels = train_test_split(data, labels, test_size=0.25, random_state=3)
scaler = StandardScaler().fit(train)
model = LogisticRegression(max_iter=200).fit(scaler.transform(train), train_labels)
print(model.score(scaler.transform(test), test_labels) > 0.9, len(test_labels))
