¥
"serve*2.21.0…

prefixPlaceholder
(
saveSaveV2prefixnamesslicesx
+
restore	RestoreV2prefixnamesslices

xPlaceholder"Ú

prefix:0