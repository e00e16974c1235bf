™
"serve*2.21.0…

prefiXPlaceholder
(
saveSaveV2prefixnamesslicesx
+
restore	RestoreV2prefixnamesslices

xPlaceholder"Ú