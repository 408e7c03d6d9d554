mkdir -p src && echo 'print("hello")' > src/hello.py
sac run shell --name demo --detach
sac cp src demo:                                # a folder, whole: it keeps its name there
sac exec demo -- sh -c 'wc -c src/hello.py > report.txt'
sac cp demo:report.txt report-of-demo.txt       # a file, under a name of your choice
sac cp demo:report.txt -                        # what is in it, to the standard output
echo 'a note' | sac cp - demo:note.txt          # the standard input, as a file
sac cp demo:. everything                        # all that the agent has in its folder
cat everything/note.txt
sac cp demo:src - | tar -t                      # a folder as a tar archive
sac delete demo
