i
"serve*2.21.0

xPlaceholder"Ú:=
;"9
_tf_keras_layer&{"class_name": "Lambda", "config": {}}