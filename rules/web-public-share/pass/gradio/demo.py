import gradio as gr

demo = gr.Interface(fn=answer, inputs="text", outputs="text")
demo.launch(server_name="127.0.0.1", auth=check_user)
