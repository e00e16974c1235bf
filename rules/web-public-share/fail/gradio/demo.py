import gradio as gr

demo = gr.Interface(fn=answer, inputs="text", outputs="text")
demo.launch(share=True)
