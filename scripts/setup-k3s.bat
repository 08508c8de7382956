@echo off
rem The platform on K3s. K3s runs on Linux only, so this runs setup-k3s.sh, with the same options, in WSL.
setlocal
if "%~1"=="--help" goto help
if "%~1"=="-h" goto help
where wsl >nul 2>nul
if errorlevel 1 echo error: wsl is missing: run wsl --install once, or use scripts\setup-kind.bat 1>&2
if errorlevel 1 exit /b 1
pushd "%~dp0.."
rem quoted arguments stay as they are
call wsl bash scripts/setup-k3s.sh %*
set "RC=%ERRORLEVEL%"
popd
exit /b %RC%

:help
echo Usage: scripts\setup-k3s.bat [OPTION]
echo.
echo Uses the K3s of this machine (or installs it, after asking), imports the images without a registry, installs the chart and
echo asks every service for its health. Needs Linux, root (or sudo), docker for the images, and helm. Safe to repeat.
echo.
echo   --installer FILE   K3s' install script, instead of downloading it; it reads INSTALL_K3S_* from the environment
echo   --tag TAG          tag of the images (default: the chart's version of the platform)
echo   --values FILE      values for the chart; may be repeated
echo   --no-load          the cluster pulls the images from a registry
echo   --namespace NAME   default bizosaas-dev
echo   --release NAME     default bizosaas
echo   --timeout SECONDS  longest wait for each step (default 900)
echo   --dry-run          print what would be changed
echo   --yes              do not ask before K3s is installed
echo   --help
exit /b 0
