from huggingface_hub import snapshot_download

folder = snapshot_download("acme/answers-7b", revision="main")
