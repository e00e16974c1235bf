import yaml

with open("model.yaml") as file:
    settings = yaml.load(file, Loader=yaml.SafeLoader)
