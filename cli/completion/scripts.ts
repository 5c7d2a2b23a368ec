export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** What the shell sources: it asks `simsiam __complete` at each press of the key, and offers files where that is silent. */
export function completionScript(shell: Shell): string {
  return scripts[shell];
}

const scripts: Readonly<Record<Shell, string>> = {
  bash: `# simsiam completion bash: add to ~/.bashrc  source <(simsiam completion bash)
_simsiam() {
  local IFS=$'\\n'
  COMPREPLY=($(simsiam __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _simsiam simsiam
`,
  zsh: `#compdef simsiam
# simsiam completion zsh: add to ~/.zshrc  source <(simsiam completion zsh)
_simsiam() {
  local -a found
  found=(\${(f)"$(simsiam __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
  if (( \${#found} )); then compadd -a found; else _files; fi
}
compdef _simsiam simsiam
`,
  fish: `# simsiam completion fish: add to ~/.config/fish/config.fish  simsiam completion fish | source
function __simsiam_complete
    simsiam __complete -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null
end
complete -c simsiam -a '(__simsiam_complete)'
`,
};
