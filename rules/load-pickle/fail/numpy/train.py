from numpy import load as read

rows = read("rows.npy", allow_pickle=True)
